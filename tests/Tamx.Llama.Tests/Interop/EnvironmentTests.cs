using System.Runtime.InteropServices;

namespace Tamx.Llama.Tests.Interop;

public sealed class EnvironmentTests
{
    /// <summary>Native code asks the C library, which on Unix does not know what .NET sets.</summary>
    [Fact]
    public void Loaded_NativeEnvironment_KeepsGgmlFromADebuggerAndOpenMpFromSpinning()
    {
        Assert.NotEmpty(LlamaRuntime.Version);
        if (!OperatingSystem.IsWindows())
        {
            Assert.NotEqual(0, GetVariable("GGML_NO_BACKTRACE"));
            Assert.NotEqual(0, GetVariable("GOMP_SPINCOUNT"));
        }
    }

    [DllImport(
        "libc",
        EntryPoint = "getenv",
        CharSet = CharSet.Ansi,
        BestFitMapping = false,
        ThrowOnUnmappableChar = true
    )]
    private static extern nint GetVariable(string name);
}
