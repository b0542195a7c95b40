using System.CommandLine;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>
/// <c>--device</c>: names of llama.cpp's devices, which are the model's, and of the engines', which are the maps', in
/// one list.
/// </summary>
internal static class DeviceOption
{
    private const string Name = "--device";

    /// <summary>Adds it to a command, once.</summary>
    public static void AddTo(Command command)
    {
        if (!command.Options.Any(option => option.Name == Name))
        {
            command.Options.Add(
                new Option<string?>(Name)
                {
                    Description =
                        "Devices to use, as tamx info names them: of llama.cpp for the model (Vulkan0; none), OpenCL0 or CUDA0 for the maps. Left out, the best there are.",
                    HelpName = "NAME[,NAME]",
                }
            );
        }
    }

    /// <summary>The device for maps; empty for the best.</summary>
    public static string ForMaps(ParseResult parsed, EngineKind engine)
    {
        var names = Names(parsed);
        if (!parsed.CommandResult.Command.Options.Any(option => option.Name == ModelArguments.GpuLayersName))
        {
            return names.FirstOrDefault() ?? string.Empty;
        }

        // One name can be the model's and the maps' at once: CUDA0, unless the maps are to be computed elsewhere.
        return engine == EngineKind.Auto || TamEngines.OnDevices.Contains(engine)
            ? names.FirstOrDefault(IsForMaps) ?? string.Empty
            : string.Empty;
    }

    /// <summary>The device for the model; empty for llama.cpp's choice.</summary>
    public static string ForModel(ParseResult parsed) =>
        Names(parsed)
            .FirstOrDefault(name => !IsForMaps(name) || LlamaRuntime.Devices.Any(device => device.Name == name))
        ?? string.Empty;

    private static string[] Names(ParseResult parsed) =>
        parsed
            .GetValue<string?>(Name)
            ?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        ?? [];

    private static bool IsForMaps(string name) => TamEngines.OnDevices.Any(kind => kind.HasDevice(name));
}
