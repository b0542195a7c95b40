using System.Diagnostics;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>
/// No text ends the process: an exception that left llama.cpp's tokenizer would, so odd ones are cut in a process of
/// its own.
/// </summary>
public class TextTests
{
    // The two ways to cut text.
    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen35")]
    public async Task Tokenize_OddTexts_EndNothing(string name)
    {
        using var process = Process.Start(ChildProgram.Start("texts", TestModels.Get(name).ModelPath))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        var last = output.TrimEnd().Split('\n')[^1];
        Assert.True(process.ExitCode == 0, $"ended with {process.ExitCode} after '{last}': {await error}");
        Assert.StartsWith("prompt: ", last, StringComparison.Ordinal);
    }
}
