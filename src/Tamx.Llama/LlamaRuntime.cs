using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>The native llama.cpp of this process: where it lies, its version and devices, its log.</summary>
/// <remarks>All members are safe to use from any thread. The library is loaded on first use.</remarks>
public static unsafe class LlamaRuntime
{
    private static readonly Lock Gate = new();
    private static bool _resolverSet;
    private static bool _initialized;

    /// <summary>Environment variable that names a folder with a finished tamx_llama.</summary>
    public const string DirectoryVariable = "TAMX_NATIVE_DIR";

    /// <summary>Receives llama.cpp's log lines. Nothing is logged unless it is set.</summary>
    public static ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>The folder that the native libraries are loaded from.</summary>
    public static string Directory
    {
        get
        {
            var own = Environment.GetEnvironmentVariable(DirectoryVariable);
            return string.IsNullOrEmpty(own) ? Path.Combine(AppContext.BaseDirectory, "native") : Path.GetFullPath(own);
        }
    }

    /// <summary>Version of llama.cpp, for example <c>0.5.0</c>.</summary>
    /// <exception cref="NativeLibraryException">The native part is missing or does not fit.</exception>
    public static string Version
    {
        get
        {
            EnsureInitialized();
            Span<byte> text = stackalloc byte[128];
            var length = Math.Min(NativeMethods.GetLlamaVersion(text, text.Length), text.Length - 1);
            return Encoding.UTF8.GetString(text[..length]);
        }
    }

    /// <summary>The devices llama.cpp found, in its order.</summary>
    /// <exception cref="NativeLibraryException">The native part is missing or does not fit.</exception>
    public static IReadOnlyList<ComputeDevice> Devices
    {
        get
        {
            EnsureInitialized();
            NativeMethods.GetDeviceCount(out var count).ThrowIfFailed();
            var devices = new ComputeDevice[count];
            Span<byte> name = stackalloc byte[256];
            Span<byte> description = stackalloc byte[512];
            for (var i = 0; i < count; i++)
            {
                NativeMethods.GetDevice(i, name, name.Length, description, description.Length, out var kind, out var free, out var total).ThrowIfFailed();
                devices[i] = new ComputeDevice(ZeroTerminated(name), ZeroTerminated(description), (ComputeDeviceKind)kind, free, total);
            }

            return devices;
        }
    }

    /// <summary>Refuses a device that llama.cpp does not have.</summary>
    /// <param name="name">Its name; <c>none</c> and the empty string are no device and always there.</param>
    /// <exception cref="NativeLibraryException">There is no such device.</exception>
    public static void RequireDevice(string name)
    {
        if (name.Length > 0 && name != "none" && !Devices.Any(device => device.Name == name))
        {
            throw new NativeLibraryException(
                $"llama.cpp has no device {name} here; it has {string.Join(", ", Devices.Select(device => device.Name))}. A build for GPUs is made with TAMX_LLAMA_VARIANT=vulkan or cuda");
        }
    }

    /// <summary>What to add to an error where memory on a GPU may be the cause; nothing where no layer is there.</summary>
    internal static string DescribeGpuMemory(ModelOptions options)
    {
        var gpus = GpusOf(options);
        return gpus.Count == 0
            ? string.Empty
            : $" ({string.Join(", ", gpus.Select(device => $"{device.Name} has {device.FreeMemoryBytes / 1_000_000} of {device.TotalMemoryBytes / 1_000_000} MB free"))}; fewer layers on it take less: -ngl)";
    }

    /// <summary>Refuses a context whose keys and values alone are larger than the GPU's free memory; some such contexts make llama.cpp end the process.</summary>
    /// <exception cref="LlamaException">It does not fit.</exception>
    internal static void RequireContextMemory(ModelOptions options, ModelFacts facts, int contextSize, bool precise)
    {
        var gpus = GpusOf(options);
        var asked = facts.ContextBytesPerToken(options.LayersOnGpu(facts), precise) * contextSize;
        var free = gpus.Sum(device => (double)device.FreeMemoryBytes);
        if (gpus.Count > 0 && asked > free && gpus.All(device => device.TotalMemoryBytes > 0))
        {
            throw new LlamaException(
                $"a context of {contextSize} tokens takes {asked / 1_000_000} MB{DescribeGpuMemory(options)}; a smaller context takes less, too: -c");
        }
    }

    private static List<ComputeDevice> GpusOf(ModelOptions options) => options.GpuLayerCount == 0
        ? []
        : [.. Devices.Where(device => options.Device.Length == 0 ? device.IsGpu : device.Name == options.Device && device.Kind != ComputeDeviceKind.Cpu)];

    /// <summary>Loads the native part if that has not happened yet.</summary>
    /// <exception cref="NativeLibraryException">The native part is missing or does not fit.</exception>
    internal static void EnsureInitialized()
    {
        lock (Gate)
        {
            if (_initialized)
            {
                return;
            }

            var directory = Directory;
            var library = FindLibrary(directory);
            try
            {
                NativeLibrary.Load(library);
                if (!_resolverSet)
                {
                    NativeLibrary.SetDllImportResolver(typeof(LlamaRuntime).Assembly, (name, _, _) =>
                        name == NativeMethods.Library ? NativeLibrary.Load(FindLibrary(Directory)) : 0);
                    _resolverSet = true;
                }

                var version = NativeMethods.GetAbiVersion();
                if (version != NativeMethods.AbiVersion)
                {
                    throw new NativeLibraryException(
                        $"{library} has interface version {version}, this Tamx needs {NativeMethods.AbiVersion}; build it again from this version's native folder");
                }
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
            {
                throw new NativeLibraryException($"{library} cannot be loaded: {e.Message}", e);
            }

            if (NativeMethods.Initialize(directory, &OnLog) != NativeStatus.Ok)
            {
                throw new NativeLibraryException(NativeStatusExtensions.LastError());
            }

            _initialized = true;
        }
    }

    private static string FindLibrary(string directory)
    {
        string[] names = ["libtamx_llama.so", "libtamx_llama.dylib", "tamx_llama.dll"];
        return names.Select(name => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
            ?? throw new NativeLibraryException(
                $"the native library tamx_llama is not in {directory}; build Tamx.Llama with dotnet build, or set {DirectoryVariable} to a folder that holds it");
    }

    private static string ZeroTerminated(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text[..Math.Max(0, text.IndexOf((byte)0))]);

    // llama.cpp gives a line in pieces: the later ones have the level "continuation".
    private static readonly StringBuilder Line = new();
    private static LogLevel _lineLevel = LogLevel.Debug;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(int level, byte* text, int length)
    {
        const int Continuation = 5;
        try
        {
            lock (Line)
            {
                if (level != Continuation)
                {
                    FlushLine();
                    _lineLevel = level switch { 4 => LogLevel.Error, 3 => LogLevel.Warning, 2 => LogLevel.Debug, _ => LogLevel.Trace };
                }

                Line.Append(Encoding.UTF8.GetString(text, length));
                if (Line.Length > 0 && Line[^1] == '\n')
                {
                    FlushLine();
                }
            }
        }
        catch
        {
            // A logger's fault must not unwind through native frames.
        }
    }

    private static void FlushLine()
    {
        var line = Line.ToString().TrimEnd();
        Line.Clear();
        if (line.Length > 0)
        {
            NativeLog.Line(Logger, _lineLevel, line);
        }
    }
}

internal static partial class NativeLog
{
    [LoggerMessage(Message = "llama.cpp: {Text}")]
    internal static partial void Line(ILogger logger, LogLevel level, string text);
}
