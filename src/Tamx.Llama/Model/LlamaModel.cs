using LLama.Native;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>A text model in llama.cpp: its weights, sizes and vocabulary.</summary>
/// <remarks>Safe to use from several threads. Contexts and projectors keep the native model alive.</remarks>
internal sealed class LlamaModel : IDisposable
{
    private readonly nint _vocabulary;

    private LlamaModel(SafeLlamaModelHandle handle)
    {
        Handle = handle;
        _vocabulary = LlamaApi.GetVocabulary(handle);
        VocabularySize = LlamaApi.CountTokens(_vocabulary);
        HiddenSize = handle.EmbeddingSize;
        InputSize = LlamaApi.GetInputSize(handle);
    }

    public SafeLlamaModelHandle Handle { get; }

    public int VocabularySize { get; }

    public int HiddenSize { get; }

    /// <summary>Values per position of a picture's embeddings.</summary>
    public int InputSize { get; }

    /// <summary>Loads a checked file.</summary>
    /// <exception cref="ModelFormatException">llama.cpp refuses it.</exception>
    /// <exception cref="LlamaException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static unsafe LlamaModel Load(
        ModelOptions options,
        IProgress<ModelLoadProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        using var errors = NativeLog.Listen();
        var parameters = LLamaModelParams.Default();

        // llama.cpp counts the output as one more layer, and takes more layers than there are as all.
        parameters.n_gpu_layers = options.GpuLayerCount < 0 ? int.MaxValue : options.GpuLayerCount;
        parameters.load_mode = options.UseMemoryMap ? LLamaLoadMode.MemoryMap : LLamaLoadMode.None;
        LlamaProgressCallback onProgress = (share, _) => GoesOn(share, "model", progress, cancellationToken);
        parameters.progress_callback = onProgress;

        // A list that ends with 0. Without a list, llama.cpp takes all devices.
        var devices = stackalloc nint[2];
        devices[0] = UsesNoDevice(options) ? 0 : FindDevice(options.Device);
        devices[1] = 0;
        parameters.devices = options.Device.Length > 0 ? devices : null;
        LlamaLibraries.FileAtWork = options.ModelPath;
        var handle = LlamaApi.LoadModel(options.ModelPath, parameters);
        GC.KeepAlive(onProgress);
        if (handle.IsInvalid)
        {
            handle.Dispose();
            throw LoadFailure(options.ModelPath, errors, options, cancellationToken);
        }

        return new LlamaModel(handle);
    }

    /// <summary>Writes a quantized copy of a checked file.</summary>
    /// <exception cref="LlamaException">llama.cpp cannot do it.</exception>
    public static void Quantize(string source, string destination, LLamaFtype type, int threadCount)
    {
        LlamaLibraries.EnsureLoaded();
        using var errors = NativeLog.Listen();
        var parameters = LLamaModelQuantizeParams.Default();
        parameters.ftype = type;
        parameters.nthread = threadCount;
        if (NativeApi.llama_model_quantize(source, destination, ref parameters) != 0)
        {
            throw new LlamaException($"{source}: llama.cpp cannot quantize it{errors.Because}");
        }
    }

    /// <summary>A token's bytes; control tokens give their text too.</summary>
    public byte[] GetBytes(int token)
    {
        using var lease = new HandleLease(Handle);
        Span<byte> buffer = stackalloc byte[256];
        var length = LlamaApi.GetBytes(_vocabulary, token, buffer, buffer.Length, 0, special: 1);
        if (length < 0)
        {
            buffer = new byte[-length];
            length = LlamaApi.GetBytes(_vocabulary, token, buffer, buffer.Length, 0, special: 1);
        }

        return buffer[..length].ToArray();
    }

    /// <summary>Cuts UTF-8 text into tokens. There are never more of them than bytes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseSpecial">Whether the text of a control token becomes that token.</param>
    public int[] Tokenize(ReadOnlySpan<byte> text, bool parseSpecial)
    {
        using var lease = new HandleLease(Handle);
        var tokens = new int[text.Length + 1];
        var count = LlamaApi.Tokenize(
            _vocabulary,
            text,
            text.Length,
            tokens,
            tokens.Length,
            addSpecial: 0,
            parseSpecial ? (byte)1 : (byte)0
        );
        return count >= 0
            ? tokens[..count]
            : throw new LlamaException("llama.cpp's tokenizer gave more tokens than the text has bytes");
    }

    public void Dispose() => Handle.Dispose();

    internal static bool UsesNoDevice(ModelOptions options) => options.Device == "none";

    internal static bool GoesOn(
        float share,
        string stage,
        IProgress<ModelLoadProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            progress?.Report(new ModelLoadProgress(stage, share));
        }
        catch
        {
            // An exception of the progress sink must not unwind through native frames. Loading goes on.
        }

        return !cancellationToken.IsCancellationRequested;
    }

    /// <summary>Why a model or projector was not loaded.</summary>
    internal static Exception LoadFailure(
        string path,
        NativeErrors errors,
        ModelOptions options,
        CancellationToken cancellationToken
    )
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return new OperationCanceledException(cancellationToken);
        }

        FormattableString text = $"llama.cpp cannot load it{errors.Because}{LlamaRuntime.DescribeGpuMemory(options)}";
        return errors.IsOutOfMemory
            ? LlamaException.Naming($"{path}: {text}")
            : ModelFormatException.Naming(path, text);
    }

    private static nint FindDevice(string name)
    {
        var device = name.Length == 0 ? 0 : GgmlBackendApi.FindDevice(name);
        return device != 0 || name.Length == 0
            ? device
            : throw new NativeLibraryException($"llama.cpp has no device {name}");
    }
}
