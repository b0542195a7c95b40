using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>The functions of native/shim/tamx_llama.h, in its order. See there for what each does.</summary>
internal static unsafe partial class NativeMethods
{
    internal const string Library = "tamx_llama";
    internal const int AbiVersion = 5;

    // ---- runtime

    [LibraryImport(Library, EntryPoint = "tamx_initialize", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus Initialize(string libraryDirectory, delegate* unmanaged[Cdecl]<int, byte*, int, void> log);

    [LibraryImport(Library, EntryPoint = "tamx_abi_version")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetAbiVersion();

    [LibraryImport(Library, EntryPoint = "tamx_last_error")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetLastError(Span<byte> text, int capacity);

    [LibraryImport(Library, EntryPoint = "tamx_llama_version")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetLlamaVersion(Span<byte> text, int capacity);

    [LibraryImport(Library, EntryPoint = "tamx_device_count")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetDeviceCount(out int count);

    [LibraryImport(Library, EntryPoint = "tamx_device")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetDevice(
        int index, Span<byte> name, int nameCapacity, Span<byte> description, int descriptionCapacity, out int kind, out ulong freeMemory, out ulong totalMemory);

    [LibraryImport(Library, EntryPoint = "tamx_row_bytes")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetRowBytes(int ggmlType, long valueCount, out long bytes);

    [LibraryImport(Library, EntryPoint = "tamx_dequantize_row")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus DequantizeRow(int ggmlType, ReadOnlySpan<byte> source, long sourceBytes, long valueCount, Span<float> destination);

    // ---- model

    [LibraryImport(Library, EntryPoint = "tamx_model_load", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus LoadModel(
        string path, int gpuLayers, string device, int useMmap, delegate* unmanaged[Cdecl]<float, void*, int> progress, void* userData, out ModelHandle model);

    [LibraryImport(Library, EntryPoint = "tamx_model_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreeModel(nint model);

    [LibraryImport(Library, EntryPoint = "tamx_model_sizes")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetModelSizes(ModelHandle model, out int hiddenSize, out int vocabularySize, out int trainingContext, out int layers);

    [LibraryImport(Library, EntryPoint = "tamx_token_bytes")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetTokenBytes(ModelHandle model, int token, Span<byte> bytes, int capacity, out int length);

    [LibraryImport(Library, EntryPoint = "tamx_token_ends_generation")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus TokenEndsGeneration(ModelHandle model, int token, out int ends);

    [LibraryImport(Library, EntryPoint = "tamx_tokenize")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus Tokenize(
        ModelHandle model, ReadOnlySpan<byte> text, int length, int parseSpecial, Span<int> tokens, int capacity, out int count);

    [LibraryImport(Library, EntryPoint = "tamx_model_quantize", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus QuantizeModel(string source, string destination, int fileType, int threads);

    // ---- vision projector

    [LibraryImport(Library, EntryPoint = "tamx_vision_load", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus LoadVision(
        ModelHandle model, string path, int useGpu, string device, int threads, int minTokens, int maxTokens,
        delegate* unmanaged[Cdecl]<float, void*, int> progress, void* userData, out VisionHandle vision);

    [LibraryImport(Library, EntryPoint = "tamx_vision_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreeVision(nint vision);

    // ---- prompt

    [LibraryImport(Library, EntryPoint = "tamx_prompt_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus CreatePrompt(ModelHandle model, VisionHandle vision, out PromptHandle prompt);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus CreateTextPrompt(ModelHandle model, nint noVision, out PromptHandle prompt);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreePrompt(nint prompt);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_add_text")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus AddPromptText(PromptHandle prompt, ReadOnlySpan<byte> text, int length, int parseSpecial);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_add_vision")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus AddPromptVision(PromptHandle prompt, int width, int height, ReadOnlySpan<int> times, int count);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_chunk_count")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetPromptChunkCount(PromptHandle prompt, out int count);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_chunk")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetPromptChunk(PromptHandle prompt, int index, out int tokens, out int gridColumns, out int gridRows);

    [LibraryImport(Library, EntryPoint = "tamx_prompt_chunk_tokens")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetPromptChunkTokens(PromptHandle prompt, int index, Span<int> tokens, int capacity);

    // ---- context

    [LibraryImport(Library, EntryPoint = "tamx_context_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus CreateContext(
        ModelHandle model, int contextSize, int batchSize, int threads, int preciseCache, int capture, out ContextHandle context);

    [LibraryImport(Library, EntryPoint = "tamx_context_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "tamx_context_cancel")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void CancelContext(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "tamx_context_encode")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus EncodePatch(
        ContextHandle context, PromptHandle prompt, int index, ReadOnlySpan<byte> rgb, ReadOnlySpan<byte> secondRgb);

    [LibraryImport(Library, EntryPoint = "tamx_context_decode_chunk")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus DecodeChunk(
        ContextHandle context, PromptHandle prompt, int index, int first, int count, int wantLogits, Span<float> rows);

    [LibraryImport(Library, EntryPoint = "tamx_context_decode_tokens")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus DecodeTokens(ContextHandle context, ReadOnlySpan<int> tokens, int count, int wantLogits, Span<float> rows);

    [LibraryImport(Library, EntryPoint = "tamx_context_embedding")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetEmbedding(ContextHandle context, int index, Span<float> row);

    [LibraryImport(Library, EntryPoint = "tamx_context_next_position")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetNextPosition(ContextHandle context, out int position);

    [LibraryImport(Library, EntryPoint = "tamx_context_logits")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus GetLogits(ContextHandle context, Span<float> logits);

    [LibraryImport(Library, EntryPoint = "tamx_context_set_sampling")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus SetSampling(ContextHandle context, float temperature, int topK, float topP, uint seed);

    [LibraryImport(Library, EntryPoint = "tamx_context_sample")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus Sample(ContextHandle context, out int token);

    [LibraryImport(Library, EntryPoint = "tamx_context_rank")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStatus Rank(
        ContextHandle context, int index, int token, int candidateCount, out float logit, out double logSum, Span<int> candidates, Span<float> candidateLogits);
}
