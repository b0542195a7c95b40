using System.Diagnostics;

namespace Tamx.Llama.Tests.Gguf;

/// <summary>
/// A key or tensor that is left out gives one clear line, or the model is decoded without it; nothing ends the process.
/// </summary>
public class LeftOutTests
{
    public static TheoryData<string> Kinds => [.. TinyModels.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task LoadAsync_AnyKeyOrTensorLeftOut_EndsNothing(string kind)
    {
        using var process = Process.Start(ChildProgram.Start("left-out", kind))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        string[] lines = [.. output.Split('\n').Where(line => line.Length > 0 && !line.StartsWith("starts"))];
        Assert.True(process.ExitCode == 0, $"{process.ExitCode} at {output.TrimEnd().Split('\n')[^1]}: {await error}");
        Assert.Contains("key : decoded 2", lines);
        foreach (var line in lines.Where(line => line.StartsWith("tensor ", StringComparison.Ordinal)))
        {
            var name = line["tensor ".Length..line.IndexOf(": ", StringComparison.Ordinal)];
            Assert.Contains($"tensor {name} is missing", line, StringComparison.Ordinal);
        }

        Assert.All(lines, line => Assert.Matches(": (decoded [12]|refused .+\\.gguf: .+)$", line));
    }
}
