using Microsoft.Extensions.Logging;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>The native llama.cpp of this process: where it lies, its version and devices, its log.</summary>
/// <remarks>All members are safe to use from any thread. The library is loaded on first use.</remarks>
public static unsafe class LlamaRuntime
{
    /// <summary>Environment variable that names a folder with the libraries of the build that Tamx needs.</summary>
    public const string DirectoryVariable = LlamaLibraries.DirectoryVariable;

    /// <summary>
    /// Receives llama.cpp's log lines, but those about a model that has a log (<see cref="ModelOptions.LoggerFactory"/>).
    /// Nothing is logged unless it is set.
    /// </summary>
    public static ILogger Logger
    {
        get => NativeLog.Logger;
        set => NativeLog.Logger = value;
    }

    /// <summary>The folder that the native libraries are loaded from.</summary>
    public static string Directory => LlamaLibraries.Directory;

    /// <summary>Build of llama.cpp, as its own tools write it: <c>b10221-815a2a591</c>.</summary>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries are missing or do not fit.</exception>
    public static string Version
    {
        get
        {
            LlamaLibraries.EnsureLoaded();
            return $"{LlamaLibraries.Build}-{LlamaLibraries.Commit}";
        }
    }

    /// <summary>The devices llama.cpp found, in its order.</summary>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries are missing or do not fit.</exception>
    public static IReadOnlyList<ComputeDevice> Devices
    {
        get
        {
            LlamaLibraries.EnsureLoaded();
            var devices = new ComputeDevice[(int)GgmlBackendApi.CountDevices()];
            for (var i = 0; i < devices.Length; i++)
            {
                var device = GgmlBackendApi.GetDevice((nuint)i);
                GgmlBackendApi.GetMemory(device, out var free, out var total);
                devices[i] = new ComputeDevice(
                    NativeText.Read(GgmlBackendApi.GetName(device)),
                    NativeText.Read(GgmlBackendApi.GetDescription(device)),
                    KindOf(GgmlBackendApi.GetKind(device)),
                    free,
                    total
                );
            }

            return devices;
        }
    }

    /// <summary>
    /// Adds the devices of <see cref="ModelOptions.RpcServers"/> to llama.cpp's, and refuses a
    /// <see cref="ModelOptions.Device"/> that it does not have.
    /// </summary>
    /// <param name="options">The model's options.</param>
    /// <exception cref="NativeLibraryException">
    /// There is no such device, no back end for such servers, or no server answers.
    /// </exception>
    public static void RequireDevices(ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        RpcServer.Add(options.RpcServers);
        var name = options.Device;
        if (name.Length > 0 && name != "none" && !Devices.Any(device => device.Name == name))
        {
            var there = string.Join(", ", Devices.Select(device => device.Name));
            throw new NativeLibraryException(
                $"llama.cpp has no device {name} here; it has {there}. "
                    + "Libraries for GPUs come with the package LLamaSharp.Backend.Vulkan or LLamaSharp.Backend.Cuda12"
            );
        }
    }

    /// <summary>
    /// What to add to an error that too little GPU memory may have caused. Empty without layers there.
    /// </summary>
    internal static FormattableString DescribeGpuMemory(ModelOptions options)
    {
        var gpus = string.Join(", ", GpusOf(options).Select(FreeMemory));
        return gpus.Length == 0
            ? (FormattableString)$""
            : $" ({gpus}; fewer layers on it take less: {Settings.GpuLayerCount})";

        static string FreeMemory(ComputeDevice device) =>
            $"{device.Name} has {device.FreeMemoryBytes / 1_000_000} of {device.TotalMemoryBytes / 1_000_000} MB free";
    }

    /// <summary>
    /// Refuses a context whose keys and values alone exceed the GPU's free memory, on which llama.cpp may end the
    /// process, or the machine's, where the system may end it.
    /// </summary>
    /// <exception cref="LlamaException">It does not fit the GPU.</exception>
    /// <exception cref="InvalidInputException">It does not fit the machine.</exception>
    internal static void RequireContextMemory(ModelOptions options, ModelFacts facts, int contextSize, bool precise)
    {
        var gpus = GpusOf(options);
        var asked = facts.ContextBytesPerToken(options.LayersOnGpu(facts), precise) * contextSize;
        var free = gpus.Sum(device => (double)device.FreeMemoryBytes);
        if (gpus.Count > 0 && asked > free && gpus.All(device => device.TotalMemoryBytes > 0))
        {
            FormattableString takes = $"takes {asked / 1_000_000} MB{DescribeGpuMemory(options)}";
            FormattableString wayOut = $"a smaller context takes less, too: {Settings.ContextSize}";
            throw LlamaException.Naming($"a context of {contextSize} tokens {takes}; {wayOut}");
        }

        var layers = facts.LayerCount - options.LayersOnGpu(facts);
        var here = (double)facts.ContextBytesPerToken(layers, precise) * contextSize;
        var machine = MemoryEstimate.MachineBytes;
        if (here > machine)
        {
            FormattableString takes = $"takes {here / 1_000_000:F0} MB, and there are {machine / 1_000_000} here";
            throw InvalidInputException.Naming(
                $"a context of {contextSize} tokens {takes}; use a smaller one ({Settings.ContextSize})"
            );
        }
    }

    private static List<ComputeDevice> GpusOf(ModelOptions options) =>
        options.GpuLayerCount == 0
            ? []
            :
            [
                .. Devices.Where(device =>
                    options.Device.Length == 0
                        ? device.IsGpu
                        : device.Name == options.Device && device.Kind != ComputeDeviceKind.Cpu
                ),
            ];

    // enum ggml_backend_dev_type.
    private static ComputeDeviceKind KindOf(int kind) =>
        kind switch
        {
            0 => ComputeDeviceKind.Cpu,
            1 => ComputeDeviceKind.Gpu,
            2 => ComputeDeviceKind.IntegratedGpu,
            3 => ComputeDeviceKind.Accelerator,
            _ => ComputeDeviceKind.Other,
        };
}
