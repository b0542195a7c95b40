using System.Diagnostics;
using System.Runtime.InteropServices;
using Tamx.Llama.Interop;

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

    /// <summary>In a process of its own, which a reader of a freed list would end.</summary>
    [Fact]
    public async Task SetVariable_OtherThreadsRead_NothingIsFreedUnderThem()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux: elsewhere the C library takes a lock.");
        using var process = Process.Start(ChildProgram.Start("environment"))!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((0, "changed\n", string.Empty), (process.ExitCode, output, await error));
    }

    /// <summary>Sets and removes variables while other threads read; what child programs run.</summary>
    internal static int Change()
    {
        const int Count = 2000;
        var (ends, isRight) = (false, true);
        var readers = Enumerable
            .Range(0, 3)
            .Select(_ => new Thread(() =>
            {
                while (!Volatile.Read(ref ends))
                {
                    if (GetVariable("TAMX_TEST_NONE") != 0)
                    {
                        isRight = false;
                    }
                }
            }))
            .ToList();
        readers.ForEach(reader => reader.Start());
        for (var i = 0; i < Count; i++)
        {
            CRuntime.SetVariable($"TAMX_TEST_{i}", "first");
            CRuntime.SetVariable($"TAMX_TEST_{i}", $"value {i}");
            isRight &= Marshal.PtrToStringUTF8(GetVariable($"TAMX_TEST_{i}")) == $"value {i}";
            isRight &= i == 0 || GetVariable($"TAMX_TEST_{i - 1}") != 0;
            if (i % 2 == 1)
            {
                CRuntime.RemoveVariable($"TAMX_TEST_{i - 1}");
                isRight &= GetVariable($"TAMX_TEST_{i - 1}") == 0;
            }
        }

        Volatile.Write(ref ends, true);
        readers.ForEach(reader => reader.Join());
        isRight &= GetVariable("PATH") != 0;
        Console.WriteLine(isRight ? "changed" : "wrong");
        return 0;
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
