using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LLama.Native;

namespace Tamx.Llama.Interop;

/// <summary>What Tamx calls of llama.h beside LLamaSharp's public members; native/README.md says why.</summary>
internal static unsafe partial class LlamaApi
{
    private const string Library = "llama";

    // Two structs of LLamaSharp go by value. The import generator allows that only for structs of our own assembly.
#pragma warning disable SYSLIB1054
    /// <summary>LLamaSharp's own import passes the path in the ANSI code page on Windows.</summary>
    [DllImport(Library, CallingConvention = CallingConvention.Cdecl, EntryPoint = "llama_model_load_from_file")]
    internal static extern SafeLlamaModelHandle LoadModel(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
        LLamaModelParams parameters
    );

    /// <summary>0: computed; 1: no room in the context; 2: aborted by the abort callback; negative: failed.</summary>
    [DllImport(Library, CallingConvention = CallingConvention.Cdecl, EntryPoint = "llama_decode")]
    internal static extern int Decode(SafeLLamaContextHandle context, LLamaNativeBatch batch);
#pragma warning restore SYSLIB1054

    /// <summary>Values in a token's place at a position: the hidden size, and as many per deepstack layer.</summary>
    [LibraryImport(Library, EntryPoint = "llama_model_n_embd_inp")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetInputSize(SafeLlamaModelHandle model);

    /// <summary>The model's vocabulary, which lives as long as the model.</summary>
    [LibraryImport(Library, EntryPoint = "llama_model_get_vocab")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint GetVocabulary(SafeLlamaModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_vocab_n_tokens")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int CountTokens(nint vocabulary);

    /// <summary>Bytes written; -n if n are needed.</summary>
    [LibraryImport(Library, EntryPoint = "llama_token_to_piece")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetBytes(
        nint vocabulary,
        int token,
        Span<byte> bytes,
        int capacity,
        int skipSpaces,
        byte special
    );

    /// <summary>Tokens written; -n if n are needed.</summary>
    [LibraryImport(Library, EntryPoint = "llama_tokenize")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int Tokenize(
        nint vocabulary,
        ReadOnlySpan<byte> text,
        int length,
        Span<int> tokens,
        int capacity,
        byte addSpecial,
        byte parseSpecial
    );

    /// <summary>Whether the tokens of the next decodes see those before them alone, or all of their batch.</summary>
    [LibraryImport(Library, EntryPoint = "llama_set_causal_attn")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SetCausal(SafeLLamaContextHandle context, byte isCausal);

    [LibraryImport(Library, EntryPoint = "llama_get_logits_ith")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial float* GetLogits(SafeLLamaContextHandle context, int index);

    [LibraryImport(Library, EntryPoint = "llama_get_embeddings_ith")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial float* GetEmbeddings(SafeLLamaContextHandle context, int index);

    /// <summary>Keys, values and recurrent states, which live as long as the context.</summary>
    [LibraryImport(Library, EntryPoint = "llama_get_memory")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint GetMemory(SafeLLamaContextHandle context);

    /// <summary>Removes positions from first to before end (-1: all after it); 0 if it cannot.</summary>
    [LibraryImport(Library, EntryPoint = "llama_memory_seq_rm")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte Remove(nint memory, int sequence, int first, int end);

    [LibraryImport(Library, EntryPoint = "llama_log_get")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void GetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void>* log, void** userData);

    [LibraryImport(Library, EntryPoint = "llama_log_set")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void> log, void* userData);
}
