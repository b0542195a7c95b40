using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using LLama.Native;

namespace Tamx.Llama.Interop;

/// <summary>The native libraries, which Tamx shares with LLamaSharp: which, from where, in which order.</summary>
/// <remarks>
/// LLamaSharp itself looks in the current directory first. It also starts a program named vulkaninfo, which .NET looks
/// for there as well. So everything is loaded here, by full path, before LLamaSharp is used.
/// </remarks>
internal static unsafe class LlamaLibraries
{
    /// <summary>The build of llama.cpp in the package, and ggml's own word for it. Tamx knows its structs.</summary>
    internal const string Build = "b10221";
    internal const string Commit = "815a2a591";

    /// <summary>Environment variable that names a folder with this build's libraries.</summary>
    internal const string DirectoryVariable = "TAMX_NATIVE_DIR";

    /// <summary>Environment variable that names further back ends of ggml to load.</summary>
    internal const string BackendsVariable = "TAMX_LLAMA_BACKENDS";

    /// <summary>In the order of need: a library that is loaded is found by its name, wherever it lies.</summary>
    private static readonly string[] Names =
    [
        "ggml-base",
        "ggml-cpu",
        "ggml-blas",
        "ggml-metal",
        "ggml-cuda",
        "ggml-vulkan",
        "ggml-rpc",
        "ggml",
        "llama",
        "mtmd",
    ];
    private static readonly string[] Required = ["ggml-base", "ggml-cpu", "ggml", "llama", "mtmd"];

    /// <summary>Folders of the GPU packages, best first, with the driver's library that each needs.</summary>
    private static readonly (string Folder, string Linux, string Windows)[] GpuFolders =
    [
        ("cuda13", "libcuda.so.1", "nvcuda.dll"),
        ("cuda12", "libcuda.so.1", "nvcuda.dll"),
        ("vulkan", "libvulkan.so.1", "vulkan-1.dll"),
    ];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];
    private static volatile bool _isLoaded;
    private static volatile string? _fileAtWork;
    private static bool _hasResolver;

    /// <summary>The folder that the libraries come from, or would come from.</summary>
    internal static string Directory { get; private set; } = OwnDirectory ?? Root;

    private static string? OwnDirectory =>
        Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } folder
            ? Path.GetFullPath(folder)
            : null;

    private static string Root => Path.Combine(AppContext.BaseDirectory, "runtimes", Rid, "native");

    private static string Rid
    {
        get
        {
            var system =
                OperatingSystem.IsWindows() ? "win"
                : OperatingSystem.IsMacOS() ? "osx"
                : IsMusl ? "linux-musl"
                : "linux";
            return $"{system}-{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64")}";
        }
    }

    private static bool IsMusl => RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);

    /// <summary>The package's folders for this CPU, best first; the last for platforms with one variant.</summary>
    private static IEnumerable<string> Variants
    {
        get
        {
            // As LLamaSharp decides: a CPU with all of these has all of AVX-512 that the library is compiled for.
            const int Vnni = 1 << 11;
            if (Avx512Vbmi.IsSupported && Avx512BW.IsSupported && (X86Base.CpuId(7, 0).Ecx & Vnni) != 0)
            {
                yield return "avx512";
            }

            if (Avx2.IsSupported && Fma.IsSupported)
            {
                yield return "avx2";
            }

            if (Avx.IsSupported)
            {
                yield return "avx";
            }
            else if (OperatingSystem.IsMacOS())
            {
                yield return "rosetta2";
            }

            yield return "noavx";
            yield return string.Empty;
        }
    }

    /// <summary>
    /// The file that native code works with. Should it end the process all the same, the last line names it.
    /// </summary>
    internal static string? FileAtWork
    {
        set => _fileAtWork = value;
    }

    /// <summary>Loads the libraries if that has not happened yet.</summary>
    /// <exception cref="NativeLibraryException">They are missing, do not load, or are another build.</exception>
    internal static void EnsureLoaded()
    {
        if (_isLoaded)
        {
            return;
        }

        lock (Gate)
        {
            if (_isLoaded)
            {
                return;
            }

            var isShared = NativeLibraryConfig.LLama.LibraryHasLoaded;
            if (isShared)
            {
                InitializeLlamaSharp();
                FindLoaded();
            }
            else
            {
                SetEnvironment();
                LoadBest();
                NativeLibraryConfig.All.WithLibrary(
                    Path.Combine(Directory, FileName("llama")),
                    Path.Combine(Directory, FileName("mtmd"))
                );
                InitializeLlamaSharp();
            }

            if (!_hasResolver)
            {
                NativeLibrary.SetDllImportResolver(typeof(LlamaLibraries).Assembly, Resolve);
                _hasResolver = true;
            }

            CheckBuild();
            if (!isShared)
            {
                GgmlApi.SetAbortCallback(&OnAbort);
            }

            NativeLog.Attach(keepPrevious: isShared);
            LoadBackends();
            _isLoaded = true;
        }
    }

    internal static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (!Array.Exists(Names, known => known == name))
        {
            return 0;
        }

        // The runtime's own search is never used.
        return Loaded.TryGetValue(name, out var library)
            ? library
            : throw new DllNotFoundException($"{FileName(name)} is not loaded");
    }

    /// <summary>Sets variables that native code reads while it is loaded. What the user set stays.</summary>
    private static void SetEnvironment()
    {
        // Otherwise ggml starts a debugger on the process when it aborts.
        SetDefault("GGML_NO_BACKTRACE", "1");

        // OpenMP's threads wait for each other a thousand times a token. By default they spin for milliseconds each
        // time, and a token takes seconds on a busy machine.
        SetDefault("GOMP_SPINCOUNT", "10000");

        static void SetDefault(string name, string value)
        {
            if (Environment.GetEnvironmentVariable(name) is null)
            {
                CRuntime.SetVariable(name, value);
            }
        }
    }

    /// <summary>Takes the user's folder, or the first of the package's folders that loads.</summary>
    private static void LoadBest()
    {
        if (OwnDirectory is { } own)
        {
            if (!System.IO.Directory.Exists(own))
            {
                throw new NativeLibraryException($"there is no folder {own}, which {DirectoryVariable} names");
            }

            Load(own, [own]);
            return;
        }

        if (!System.IO.Directory.Exists(Root))
        {
            throw new NativeLibraryException(
                $"llama.cpp's libraries for {Rid} are not in {Root}; the package LLamaSharp.Backend.Cpu brings them, "
                    + $"for the platform that is built for (dotnet publish -r {Rid})"
            );
        }

        var variant =
            Variants
                .Select(name => Path.Combine(Root, name))
                .FirstOrDefault(folder => File.Exists(Path.Combine(folder, FileName("ggml-cpu"))))
            ?? throw new NativeLibraryException(
                $"{FileName("ggml-cpu")} is missing in {Root}; build again, or publish for this platform "
                    + $"(dotnet publish -r {Rid})"
            );
        foreach (var (name, linux, windows) in GpuFolders)
        {
            var folder = Path.Combine(Root, name);
            if (!File.Exists(Path.Combine(folder, FileName("llama"))))
            {
                continue;
            }

            var driver = OperatingSystem.IsWindows() ? windows : linux;
            if (!NativeLibrary.TryLoad(driver, out _))
            {
                NativeLog.Say($"the libraries for {name} are passed over: there is no {driver}");
                continue;
            }

            try
            {
                // The CPU's own library is in the CPU's package alone.
                Load(folder, [folder, variant]);
                NativeLog.Say($"libraries for {name} loaded from {folder}");
                return;
            }
            catch (NativeLibraryException e)
            {
                NativeLog.Say($"the libraries for {name} are passed over: {e.Message}");
            }
        }

        Load(variant, [variant, Root]);
        NativeLog.Say($"libraries loaded from {variant}");
    }

    /// <summary>Loads each library from the first folder that has it.</summary>
    private static void Load(string directory, string[] folders)
    {
        var handles = new List<(string Name, nint Handle)>();
        try
        {
            foreach (var name in Names)
            {
                var paths = folders.Select(folder => Path.Combine(folder, FileName(name)));
                if (paths.FirstOrDefault(File.Exists) is { } path)
                {
                    handles.Add((name, LoadFile(path)));
                }
                else if (Array.Exists(Required, required => required == name))
                {
                    throw new NativeLibraryException($"{FileName(name)} is missing in {string.Join(" and ", folders)}");
                }
            }
        }
        catch
        {
            for (var i = handles.Count - 1; i >= 0; i--)
            {
                NativeLibrary.Free(handles[i].Handle);
            }

            throw;
        }

        // LLamaSharp is told the folder of libllama and libmtmd, which all variants may share.
        Directory = Array.Find(folders, folder => File.Exists(Path.Combine(folder, FileName("llama")))) ?? directory;
        foreach (var (name, handle) in handles)
        {
            Loaded[name] = handle;
        }
    }

    private static nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new NativeLibraryException(MissingLibrary.Describe(path, e.Message), e);
        }
    }

    /// <summary>The libraries that the host program has loaded through LLamaSharp.</summary>
    private static void FindLoaded()
    {
        using var process = Process.GetCurrentProcess();
        var modules = process
            .Modules.Cast<ProcessModule>()
            .Where(module => module.ModuleName is not null)
            .ToLookup(module => module.ModuleName!);
        foreach (var name in Required)
        {
            var path =
                modules[FileName(name)].FirstOrDefault()?.FileName
                ?? throw new NativeLibraryException(
                    $"this program uses llama.cpp through LLamaSharp, but not {FileName(name)}; use Tamx before "
                        + "LLamaSharp, which then uses the same libraries"
                );
            Loaded[name] = LoadFile(path);
            Directory = Path.GetDirectoryName(path)!;
        }
    }

    /// <summary>Makes LLamaSharp bind to what is loaded.</summary>
    private static void InitializeLlamaSharp()
    {
        var hasVulkan = NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "vulkan-1.dll" : "libvulkan.so.1", out _);
        var current = hasVulkan ? null : System.IO.Directory.GetCurrentDirectory();
        try
        {
            if (current is not null)
            {
                // Where Vulkan is missing, LLamaSharp starts vulkaninfo, and .NET looks for programs in the current
                // directory.
                System.IO.Directory.SetCurrentDirectory(AppContext.BaseDirectory);
            }

            NativeApi.llama_empty_call();
            NativeApi.MtmdDefaultMarker();
        }
        catch (Exception e)
            when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new NativeLibraryException(
                $"LLamaSharp cannot use the libraries in {Directory}: "
                    + $"{(e.InnerException ?? e).Message.Split('\n')[0].Trim()}",
                e
            );
        }
        finally
        {
            if (current is not null)
            {
                System.IO.Directory.SetCurrentDirectory(current);
            }
        }
    }

    /// <summary>Structs are passed by value, so another build would silently read them wrongly.</summary>
    private static void CheckBuild()
    {
        try
        {
            var commit = NativeText.Read(GgmlApi.GetCommit());
            if (commit != Commit)
            {
                throw new NativeLibraryException(
                    $"llama.cpp in {Directory} is build {commit}; this Tamx needs {Commit} ({Build})"
                );
            }

            var parameters = MtmdApi.GetDefaultParameters();
            const int DefaultBatchTokens = 1024;
            if (
                parameters.MediaMarker != MtmdApi.GetDefaultMarker()
                || parameters.MinImageTokens != -1
                || parameters.MaxImageTokens != -1
                || parameters.BatchMaxTokens != DefaultBatchTokens
            )
            {
                throw new NativeLibraryException(
                    $"libmtmd in {Directory} has other parameters than this Tamx knows; it needs that of build "
                        + $"{Build}"
                );
            }
        }
        catch (EntryPointNotFoundException e)
        {
            throw new NativeLibraryException($"llama.cpp in {Directory} is another build than {Build}: {e.Message}", e);
        }
    }

    /// <summary>Loads further back ends, one from each file.</summary>
    private static void LoadBackends()
    {
        var paths = (Environment.GetEnvironmentVariable(BackendsVariable) ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        foreach (var path in paths)
        {
            var fullPath = Path.GetFullPath(path);
            if (!File.Exists(fullPath))
            {
                throw new NativeLibraryException($"there is no file {fullPath}, which {BackendsVariable} names");
            }

            using var errors = NativeLog.Listen();
            if (GgmlBackendApi.Load(fullPath) == 0)
            {
                throw new NativeLibraryException($"{fullPath} is no back end for this ggml{errors.Because}");
            }
        }
    }

    /// <summary>
    /// Says in one line why ggml gives up, and ends the program as a fault of its own: without a core file, a debugger
    /// or a backtrace. ggml would end it in any case.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnAbort(byte* message)
    {
        const int Fault = 1;
        try
        {
            var file = _fileAtWork is { } path ? $"{path}: " : "";
            var line = OutsideText.Line($"tamx: {file}llama.cpp gave up: {NativeText.Read(message)}");
            using var error = Console.OpenStandardError();
            error.Write(System.Text.Encoding.UTF8.GetBytes(line + Environment.NewLine));
        }
        catch
        {
            // The process ends in any case.
        }

        CRuntime.Exit(Fault);
    }
}
