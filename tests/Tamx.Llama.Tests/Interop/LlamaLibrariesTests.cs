using System.Runtime.InteropServices;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Tests.Interop;

public sealed class LlamaLibrariesTests
{
    [Fact]
    public void Imports_All_ExistInTheLoadedLibrary()
    {
        LlamaLibraries.EnsureLoaded();
        var imports = PackageTests.Imports();

        Assert.Equal(["ggml", "ggml-base", "llama", "mtmd"], imports.Keys.Order());
        Assert.True(imports.Values.Sum(names => names.Length) > 40);
        foreach (var (library, names) in imports)
        {
            var handle = NativeLibrary.Load(Path.Combine(LlamaRuntime.Directory, LlamaLibraries.FileName(library)));
            Assert.All(
                names,
                name => Assert.True(NativeLibrary.TryGetExport(handle, name, out _), $"{name} is not in {library}")
            );
        }
    }

    [Fact]
    public void Runtime_Loaded_NamesBuildAndDevices()
    {
        Assert.Equal("b10221-815a2a591", LlamaRuntime.Version);
        Assert.Contains(LlamaRuntime.Devices, device => device.Kind == ComputeDeviceKind.Cpu);
    }
}
