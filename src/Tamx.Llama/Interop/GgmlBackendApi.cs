using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>What Tamx calls of ggml-backend.h: the devices, and a tensor's values wherever they lie.</summary>
internal static unsafe partial class GgmlBackendApi
{
    private const string Registry = "ggml";
    private const string Library = "ggml-base";

    /// <summary>Loads a back end from a file; 0 if it is not one for this ggml.</summary>
    [LibraryImport(Registry, EntryPoint = "ggml_backend_load", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint Load(string path);

    [LibraryImport(Registry, EntryPoint = "ggml_backend_dev_count")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nuint CountDevices();

    [LibraryImport(Registry, EntryPoint = "ggml_backend_dev_get")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint GetDevice(nuint index);

    [LibraryImport(Registry, EntryPoint = "ggml_backend_dev_by_name", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint FindDevice(string name);

    [LibraryImport(Library, EntryPoint = "ggml_backend_dev_name")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* GetName(nint device);

    [LibraryImport(Library, EntryPoint = "ggml_backend_dev_description")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* GetDescription(nint device);

    [LibraryImport(Library, EntryPoint = "ggml_backend_dev_memory")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void GetMemory(nint device, out nuint freeBytes, out nuint totalBytes);

    [LibraryImport(Library, EntryPoint = "ggml_backend_dev_type")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetKind(nint device);

    /// <summary>A registry of devices by its back end's name; 0 if there is none.</summary>
    [LibraryImport(Registry, EntryPoint = "ggml_backend_reg_by_name", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint FindRegistry(string name);

    /// <summary>A function that only some back ends have; 0 if this one does not.</summary>
    [LibraryImport(
        Library,
        EntryPoint = "ggml_backend_reg_get_proc_address",
        StringMarshalling = StringMarshalling.Utf8
    )]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint FindFunction(nint registry, string name);

    /// <summary>Adds a registry's devices to those that there are.</summary>
    [LibraryImport(Registry, EntryPoint = "ggml_backend_register")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void Register(nint registry);

    /// <summary>Copies a part of a tensor's values to the CPU's memory.</summary>
    [LibraryImport(Library, EntryPoint = "ggml_backend_tensor_get")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void CopyTensor(void* tensor, void* destination, nuint offset, nuint byteCount);
}
