using System.Diagnostics;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Interop;

/// <summary>Where ggml ends the process all the same, it says so in one line and leaves nothing behind.</summary>
public class AbortTests
{
    [Fact]
    public async Task OnAbort_GgmlGivesUp_OneLineNamesTheFileAndTheProgramEndsWithOne()
    {
        using var folder = new TemporaryFolder();
        var model = folder.File("bad\u001b[2J\nmodel.gguf");
        File.Copy(TestModels.Qwen3Vl.ModelPath, model);
        var start = ChildProgram.Start("abort", model);
        start.WorkingDirectory = folder.Path;
        start.Environment.Remove("GGML_NO_BACKTRACE");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(1, process.ExitCode);
        Assert.Equal("", await output);
        var line = Assert.Single(error.TrimEnd().Split('\n'));
        Assert.StartsWith($"tamx: {folder.Path}", line, StringComparison.Ordinal);
        Assert.Contains("bad\\u001B[2J model.gguf: llama.cpp gave up: ", line, StringComparison.Ordinal);
        Assert.Contains("ggml.c:12: GGML_ASSERT(test) failed", line, StringComparison.Ordinal);
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Path));
    }
}
