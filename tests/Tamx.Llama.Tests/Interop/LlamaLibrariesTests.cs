using System.Reflection;
using System.Runtime.InteropServices;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Tests.Interop;

public sealed class LlamaLibrariesTests
{
    [Fact]
    public void Imports_All_ExistInTheLoadedLibrary()
    {
        LlamaLibraries.EnsureLoaded();
        var imports = typeof(LlamaLibraries).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => (
                Library: method.GetCustomAttribute<LibraryImportAttribute>()?.LibraryName ?? method.GetCustomAttribute<DllImportAttribute>()?.Value,
                Name: method.GetCustomAttribute<LibraryImportAttribute>()?.EntryPoint ?? method.GetCustomAttribute<DllImportAttribute>()?.EntryPoint))
            .Where(import => import.Library is "ggml" or "ggml-base" or "llama" or "mtmd")
            .Distinct()
            .ToArray();

        Assert.True(imports.Length > 40, $"{imports.Length} imports");
        Assert.All(imports, import =>
        {
            var library = NativeLibrary.Load(Path.Combine(LlamaRuntime.Directory, LlamaLibraries.FileName(import.Library!)));
            Assert.True(NativeLibrary.TryGetExport(library, import.Name!, out _), $"{import.Name} is not in {import.Library}");
        });
    }

    [Fact]
    public void Runtime_Loaded_NamesBuildAndDevices()
    {
        Assert.Equal("b10221-815a2a591", LlamaRuntime.Version);
        Assert.Contains(LlamaRuntime.Devices, device => device.Kind == ComputeDeviceKind.Cpu);
    }
}
