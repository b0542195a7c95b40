using System.CommandLine;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>
/// <c>--device</c>: a list of devices. The model runs on llama.cpp's devices, the maps on the engines'.
/// </summary>
internal static class DeviceOption
{
    private const string Name = "--device";

    /// <summary>Adds the option to a command, once.</summary>
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

    /// <summary>The device for the maps; empty for the best.</summary>
    public static string ForMaps(ParseResult parsed, EngineKind engine)
    {
        var names = Names(parsed);
        if (!parsed.CommandResult.Command.Options.Any(option => option.Name == ModelArguments.GpuLayersName))
        {
            return names.FirstOrDefault() ?? string.Empty;
        }

        // One name, such as CUDA0, can be for both model and maps, unless the maps' engine is not on a device.
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
