using System.Text;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary><c>-</c> in place of a file or a text, pipes, and several values behind one flag.</summary>
public sealed class StandardStreamTests : IDisposable
{
    private static readonly string[] Short = ["-n", "3", "-t", "1", "--engine", "cpu"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Report_ToStdout_IsTheWholePage()
    {
        var run = await CommandRun.Of(["explain", .. Short, "-o", "-"]);

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("<!DOCTYPE html>", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("</html>", run.Output.TrimEnd(), StringComparison.Ordinal);
        Assert.StartsWith("An orange cross\n", run.Error, StringComparison.Ordinal);
        Assert.Contains("stdout: 3 tokens", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_ToStdout_IsTheFile()
    {
        var run = await CommandRun.Of(["explain", .. Short, "-o", _folder.File("r.html"), "--save-trace", "-"]);
        var trace = _folder.File("t.safetensors");
        await File.WriteAllBytesAsync(trace, run.OutputBytes);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(3, TraceFile.Load(trace).AnswerProbabilities!.Value.Length);
        var maps = await CommandRun.Of(["maps", trace, "-o", "-", "-t", "1", "--engine", "cpu"]);
        var file = _folder.File("m.safetensors");
        Assert.Equal(0, (await CommandRun.Of(["maps", trace, "-o", file, "-t", "1", "--engine", "cpu"])).ExitCode);
        Assert.Equal(File.ReadAllBytes(file), maps.OutputBytes);
        foreach (
            var arguments in (string[][])
                [
                    [trace],
                    ["--compare", trace, trace],
                ]
        )
        {
            var report = await CommandRun.Of(["report", .. arguments, "-o", "-", "-t", "1", "--engine", "cpu"]);
            Assert.Equal((0, true), (report.ExitCode, report.Output.StartsWith("<!DOCTYPE", StringComparison.Ordinal)));
            Assert.EndsWith("</html>", report.Output.TrimEnd(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task MapsJson_ToStdout_LeavesTheAnswerToStderr()
    {
        var run = await CommandRun.Of(["explain", .. Short, "-o", _folder.File("r.html"), "--maps-json", "-"]);

        Assert.Equal(0, run.ExitCode);
        using var maps = JsonDocument.Parse(run.OutputBytes);
        Assert.StartsWith("An orange cross\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--image - and -p - both read stdin", "explain", "--image", "-", "-p", "-")]
    [InlineData("--image - and --image - both read stdin", "explain", "--image", "-", "-")]
    [InlineData("-p - and --answer - both read stdin", "explain", "-p", "-", "--answer", "-")]
    [InlineData("--messages - and --answer - both read stdin", "explain", "--messages", "-", "--answer", "-")]
    [InlineData("-o - and --save-trace - both write to stdout", "explain", "-o", "-", "--save-trace", "-")]
    [InlineData("-o - and --json both write to stdout", "explain", "-o", "-", "--json")]
    [InlineData("--json and --maps-json - both write to stdout", "explain", "--json", "--maps-json", "-")]
    [InlineData("-o - and --maps-json - both write to stdout", "maps", "in", "-o", "-", "--maps-json", "-")]
    [InlineData("-o - and --json both write to stdout", "maps", "in", "-o", "-", "--json")]
    [InlineData("--out-dir needs a folder", "maps", "in", "-o", "o", "--export", "png", "--out-dir", "-")]
    [InlineData("--out needs a folder", "eval", "--scenes", "1", "--out", "-")]
    [InlineData("--resume needs a file", "eval", "--scenes", "1", "--resume", "-")]
    [InlineData("-m cannot be read from stdin", "explain", "-m", "-")]
    [InlineData("--mmproj cannot be read from stdin", "explain", "-m", "m.gguf", "--mmproj", "-")]
    [InlineData("--video cannot be read from stdin", "explain", "--video", "-")]
    [InlineData("cannot be read from stdin", "maps", "-", "-o", "o")]
    [InlineData("cannot be read from stdin", "report", "-")]
    [InlineData("-m cannot be read from stdin", "info", "-m", "-")]
    [InlineData("-m cannot be read from stdin", "serve", "-m", "-")]
    public async Task Stream_WithoutRoomOrSense_IsRefusedByName(string message, params string[] arguments)
    {
        (await CommandRun.Of(arguments)).AssertFails(2, message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Picture_FromStdin_IsThePicture()
    {
        var byName = await Tokens([], "--image", DemoFiles.Picture);

        Assert.Equal(byName, await Tokens(File.ReadAllBytes(DemoFiles.Picture), "--image", "-"));
        Assert.NotEqual(byName, await Tokens([], "--image", DemoFiles.Picture, DemoFiles.Picture));
    }

    [Fact]
    public async Task Pictures_BehindOneFlag_AreAsBehindTwo()
    {
        var second = _folder.File("second.png");
        File.WriteAllBytes(second, TestPictures.Gradient(96, 64).Encoded.ToArray());
        var two = await Tokens([], "--image", DemoFiles.Picture, "--image", second);

        Assert.Equal(two, await Tokens([], "--image", DemoFiles.Picture, second));
        Assert.Equal(two, await Tokens(File.ReadAllBytes(second), "--image", DemoFiles.Picture, "-"));
        Assert.NotEqual(two, await Tokens([], "--image", second, DemoFiles.Picture));
    }

    [Fact]
    public async Task Conversation_FromStdin_IsTheConversation()
    {
        var picture = DemoFiles.Picture.Replace('\\', '/');
        var json =
            $$"""[{"role":"user","content":[{"type":"image","image":"{{picture}}"},{"type":"text","text":"What?"}]}]""";

        Assert.Equal(
            await Tokens([], "--image", DemoFiles.Picture, "-p", "What?"),
            await Tokens(Encoding.UTF8.GetBytes(json), "--messages", "-")
        );
    }

    [Theory]
    [InlineData("What?")]
    [InlineData("What?\n")]
    [InlineData("What?\r\n")]
    [InlineData("\uFEFFWhat?\n")]
    public async Task Text_FromStdin_IsTheLine(string text)
    {
        Assert.Equal(await Tokens([], "-p", "What?"), await Tokens(Encoding.UTF8.GetBytes(text), "-p", "-"));
        Assert.Equal(
            await Tokens([], "--answer", "What?"),
            await Tokens(Encoding.UTF8.GetBytes(text), "--answer", "-")
        );
    }

    [Theory]
    [InlineData("-p", new byte[] { }, "stdin is empty")]
    [InlineData("-p", new byte[] { (byte)'\n' }, "stdin is empty")]
    [InlineData("-p", new byte[] { (byte)'a', 0xFF, 0xFE }, "stdin is no UTF-8")]
    [InlineData("-p", new byte[] { (byte)'a', 0 }, "stdin has a zero character")]
    [InlineData("--answer", new byte[] { 0xC3 }, "stdin is no UTF-8")]
    [InlineData("--image", new byte[] { }, "stdin: is empty")]
    [InlineData("--image", new byte[] { 1, 2, 3 }, "stdin: is no JPEG")]
    [InlineData("--messages", new byte[] { }, "stdin: is no JSON")]
    [InlineData("--messages", new byte[] { (byte)'[', 0xFF, (byte)']' }, "stdin: is no UTF-8")]
    public async Task Stdin_OfNoUse_IsRefused(string option, byte[] input, string message)
    {
        var run = await CommandRun.Of(["explain", .. Short, "-o", _folder.File("r.html"), option, "-"], input);

        run.AssertFails(3, message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Picture_LongerThanAllowed_IsRefused()
    {
        var run = await CommandRun.Of(
            ["explain", .. Short, "-o", _folder.File("r.html"), "--image", "-"],
            new byte[64_000_001]
        );

        run.AssertFails(3, "64,000,000");
    }

    /// <summary>Opening one would wait for a writer, for ever. <c>-</c> reads what comes through a pipe.</summary>
    [Fact]
    public async Task Pipes_ThatNobodyWritesTo_AreRefusedAtOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs mkfifo.");
        var pipe = _folder.File("pipe");
        using var made = System.Diagnostics.Process.Start("mkfifo", [pipe]);
        await made.WaitForExitAsync();
        string[][] lines =
        [
            ["--image", pipe],
            ["--messages", pipe],
            ["--video", pipe],
            ["-m", pipe, "-p", "What?"],
        ];
        foreach (var line in lines)
        {
            (await CommandRun.Of(["explain", .. line])).AssertFails(3, "a regular file is needed");
        }
    }

    [Theory]
    [InlineData("did you mean --prompt?", "explain", "--image", "a.jpg", "--promt", "What?")]
    [InlineData("did you mean --json?", "explain", "--save-trace", "--jsn")]
    [InlineData("did you mean --json?", "explain", "-o", "--jsonn")]
    [InlineData("a file of that name is given as ./--other", "maps", "--other", "-o", "out")]
    [InlineData("a file of that name is given as ./-x", "explain", "--messages", "-x")]
    public async Task Option_TakenForAValue_IsNamed(string message, params string[] arguments) =>
        (await CommandRun.Of(arguments)).AssertFails(2, message);

    [Fact]
    public async Task Text_ThatBeginsAsAnOption_IsText() =>
        Assert.NotEmpty(await Tokens([], "-p", "--what is this", "--answer", "-- a cross"));

    private async Task<string> Tokens(byte[] input, params string[] arguments)
    {
        var report = _folder.File("report.html");
        var run = await CommandRun.Of(["explain", .. Short, "-o", report, "--json", .. arguments], input);
        Assert.Equal((0, true), (run.ExitCode, File.Exists(report)));
        using var json = JsonDocument.Parse(run.Output);
        return $"{json.RootElement.GetProperty("promptTokens")} {json.RootElement.GetProperty("tokens")}";
    }
}
