using System.Runtime.InteropServices;

namespace Tamx.Llama.Tests.Interop;

public sealed class EnvironmentTests
{
    /// <summary>ggml asks the C library, which on Unix does not know what .NET sets.</summary>
    [Fact]
    public void Initialized_NativeEnvironment_KeepsGgmlFromStartingADebugger()
    {
        Assert.NotEmpty(LlamaRuntime.Version);
        if (!OperatingSystem.IsWindows())
        {
            Assert.NotEqual(0, GetVariable("GGML_NO_BACKTRACE"));
        }
    }

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern nint GetVariable(string name);
}
