using System.Reflection;
using System.Runtime.InteropServices;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Tests.Interop;

public sealed class NativeMethodsTests
{
    [Fact]
    public void Imports_All_ExistInTheLibrary()
    {
        LlamaRuntime.EnsureInitialized();
        var library = NativeLibrary.Load(Directory.EnumerateFiles(LlamaRuntime.Directory, "*tamx_llama*").Single());
        var imports = typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(method => method.GetCustomAttribute<LibraryImportAttribute>()?.EntryPoint ?? method.GetCustomAttribute<DllImportAttribute>()?.EntryPoint)
            .OfType<string>()
            .ToHashSet();
        Assert.True(imports.Count > 30);
        Assert.All(imports, name => Assert.True(NativeLibrary.TryGetExport(library, name, out _), name));
    }

    [Fact]
    public void Runtime_Loaded_NamesVersionAndDevices()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+", LlamaRuntime.Version);
        Assert.Contains(LlamaRuntime.Devices, device => device.Kind == ComputeDeviceKind.Cpu);
    }

    [Fact]
    public void DequantizeRow_WrongSizes_AreRefused()
    {
        LlamaRuntime.EnsureInitialized();
        Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.GetRowBytes(9999, 256, out _));
        Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.GetRowBytes(-1, 256, out _));
        const int Q8 = 8;
        Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.GetRowBytes(Q8, 31, out _));
        Assert.Equal(NativeStatus.Ok, NativeMethods.GetRowBytes(Q8, 32, out var bytes));
        Assert.Equal(34, bytes);
        Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DequantizeRow(Q8, new byte[33], 33, 32, new float[32]));
        Assert.Equal(NativeStatus.Ok, NativeMethods.DequantizeRow(Q8, new byte[34], 34, 32, new float[32]));
    }
}
