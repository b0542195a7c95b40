using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>What Tamx calls of ggml.h. A tensor is only ever passed back to ggml: its struct is not mirrored.</summary>
internal static unsafe partial class GgmlApi
{
    private const string Library = "ggml-base";

    [LibraryImport(Library, EntryPoint = "ggml_commit")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* GetCommit();

    /// <summary>Called with ggml's message before it ends the process, instead of printing it.</summary>
    [LibraryImport(Library, EntryPoint = "ggml_set_abort_callback")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void* SetAbortCallback(delegate* unmanaged[Cdecl]<byte*, void> callback);

    /// <summary>The tensor's name, which lies inside the tensor.</summary>
    [LibraryImport(Library, EntryPoint = "ggml_get_name")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* GetName(void* tensor);

    [LibraryImport(Library, EntryPoint = "ggml_nelements")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial long CountElements(void* tensor);

    [LibraryImport(Library, EntryPoint = "ggml_nrows")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial long CountRows(void* tensor);

    [LibraryImport(Library, EntryPoint = "ggml_nbytes")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint CountBytes(void* tensor);

    [LibraryImport(Library, EntryPoint = "ggml_element_size")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint GetElementBytes(void* tensor);

    [LibraryImport(Library, EntryPoint = "ggml_is_contiguous")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte IsContiguous(void* tensor);

    /// <summary>Bytes of a row of values. A type that ggml does not know ends the process.</summary>
    [LibraryImport(Library, EntryPoint = "ggml_row_size")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint GetRowBytes(int type, long valueCount);

    [LibraryImport(Library, EntryPoint = "ggml_blck_size")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial long GetBlockSize(int type);

    [LibraryImport(Library, EntryPoint = "ggml_get_type_traits")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial TypeTraits* GetTypeTraits(int type);

    /// <summary>ggml_type_traits, up to what is read.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TypeTraits
    {
        public byte* TypeName;
        public long BlockSize;
        public long BlockSizeInterleave;
        public nuint TypeBytes;
        public byte IsQuantized;
        public delegate* unmanaged[Cdecl]<void*, float*, long, void> ToFloat;
    }
}
