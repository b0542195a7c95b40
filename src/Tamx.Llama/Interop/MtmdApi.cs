using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LLama.Native;

namespace Tamx.Llama.Interop;

/// <summary>What Tamx calls of mtmd.h, llama.cpp's vision part; native/README.md says why.</summary>
internal static unsafe partial class MtmdApi
{
    /// <summary>MTMD_INPUT_CHUNK_TYPE_IMAGE.</summary>
    internal const int ImageChunk = 1;

    private const string Library = "mtmd";

    [LibraryImport(Library, EntryPoint = "mtmd_context_params_default")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial Parameters GetDefaultParameters();

    /// <summary>The text that stands for a picture.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_default_marker")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* GetDefaultMarker();

    [LibraryImport(Library, EntryPoint = "mtmd_init_from_file", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint Load(string path, SafeLlamaModelHandle model, Parameters parameters);

    [LibraryImport(Library, EntryPoint = "mtmd_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void Free(nint context);

    [LibraryImport(Library, EntryPoint = "mtmd_support_vision")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte SupportsVision(MtmdHandle context);

    [LibraryImport(Library, EntryPoint = "mtmd_decode_use_mrope")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte UsesMrope(MtmdHandle context);

    /// <summary>Whether a chunk's tokens see each other, those after them too; any image's, for a chunk of 0.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_decode_use_non_causal")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte UsesNonCausal(MtmdHandle context, nint chunk);

    [LibraryImport(Library, EntryPoint = "mtmd_log_set")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void> log, void* userData);

    /// <summary>A bitmap; without pixels it can be cut into tokens but not encoded.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_bitmap_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint CreateBitmap(uint width, uint height, byte* rgb);

    [LibraryImport(Library, EntryPoint = "mtmd_bitmap_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreeBitmap(nint bitmap);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunks_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint CreateChunks();

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunks_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void FreeChunks(nint chunks);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunks_size")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint CountChunks(nint chunks);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunks_get")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint GetChunk(nint chunks, nuint index);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunk_get_type")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetChunkType(nint chunk);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunk_get_n_tokens")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint CountTokens(nint chunk);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunk_get_tokens_text")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int* GetTextTokens(nint chunk, out nuint count);

    [LibraryImport(Library, EntryPoint = "mtmd_input_chunk_get_tokens_image")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint GetImageTokens(nint chunk);

    [LibraryImport(Library, EntryPoint = "mtmd_image_tokens_get_decoder_pos")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial DecoderPosition GetPosition(nint imageTokens, int start, nuint index);

    /// <summary>Cuts a text with markers, and a bitmap for each marker, into chunks. 0: done.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_tokenize")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int Tokenize(
        MtmdHandle context,
        nint chunks,
        InputText* text,
        nint* bitmaps,
        nuint bitmapCount
    );

    /// <summary>Computes the embeddings of an image chunk. 0: done.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_encode_chunk")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int Encode(MtmdHandle context, nint chunk);

    /// <summary>The embeddings of the chunk that was encoded last.</summary>
    [LibraryImport(Library, EntryPoint = "mtmd_get_output_embd")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial float* GetOutput(MtmdHandle context);

    /// <summary>mtmd_context_params. <see cref="LlamaLibraries"/> checks its form when the library is loaded.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Parameters
    {
        public byte UseGpu;
        public byte PrintTimings;
        public int ThreadCount;
        public byte* ImageMarker;
        public byte* MediaMarker;
        public int FlashAttention;
        public byte Warmup;
        public int MinImageTokens;
        public int MaxImageTokens;
        public delegate* unmanaged[Cdecl]<void*, byte, void*, byte> EvalCallback;
        public void* EvalCallbackData;
        public int BatchMaxTokens;
        public delegate* unmanaged[Cdecl]<float, void*, byte> Progress;
        public void* ProgressData;
    }

    /// <summary>mtmd_input_text.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct InputText
    {
        public byte* Text;
        public nuint Length;
        public byte AddSpecial;
        public byte ParseSpecial;
    }

    /// <summary>mtmd_decoder_pos.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct DecoderPosition
    {
        public uint Time,
            X,
            Y,
            Z;
    }
}
