using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>Thinking models on the command line.</summary>
public sealed class ThoughtTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a table near\n</think>\n\na cup", "a table near", "a cup", 5)]
    [InlineData("<think>\n\na table\n\n</think>\n\na cup", "a table", "a cup", 4)]
    [InlineData("<think>\na table near", "a table near", "", 3)]
    [InlineData("a cup", null, "a cup", 0)]
    public async Task Explain_GivenAnswer_HasItsThoughtApart(string text, string? thought, string answer, int tokens)
    {
        using var json = JsonDocument.Parse((await RunAsync(["--answer", text, "--json"])).Output);

        Assert.Equal(answer, json.RootElement.GetProperty("answer").GetString());
        Assert.Equal(thought, json.RootElement.GetProperty("thought").GetString());
        Assert.Equal(tokens, json.RootElement.GetProperty("thoughtTokens").GetInt32());

        // What is printed without --json says the same again, as a given answer.
        var printed = (await RunAsync(["--answer", text])).Output;
        using var again = JsonDocument.Parse((await RunAsync(["--answer", printed.TrimEnd('\n'), "--json"])).Output);
        Assert.Equal(Ids(json), Ids(again));
    }

    [Fact]
    public async Task Explain_ThoughtsInAConversation_CountOnlyInItsLastTurn()
    {
        var plain = await PromptTokens("""{"role": "assistant", "content": "a cup"}""");

        Assert.Equal(
            plain,
            await PromptTokens("""{"role": "assistant", "content": "<think>\na box\n</think>\n\na cup"}""")
        );
        Assert.Equal(plain, await PromptTokens("""{"role": "assistant", "content": "a cup", "thinking": "a box"}"""));
        Assert.Equal(plain, await PromptTokens("""{"role": "assistant", "content": "one</think>\n\na cup"}"""));
    }

    [Fact]
    public async Task Explain_ThoughtForAModelWithoutOne_IsRefused()
    {
        File.WriteAllText(
            _folder.File("chat.json"),
            """[{"role": "user", "content": "the box"}, {"role": "assistant", "content": "x", "reasoning": "why"}]"""
        );

        var run = await CommandRun.Of(["explain", "--messages", _folder.File("chat.json"), "-t", "1"]);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("the answer to explain has a thought", run.Error, StringComparison.Ordinal);
    }

    private static int[] Ids(JsonDocument json) =>
        [
            .. json
                .RootElement.GetProperty("tokens")
                .EnumerateArray()
                .Select(token => token.GetProperty("token").GetProperty("id").GetInt32()),
        ];

    private async Task<int> PromptTokens(string earlier)
    {
        File.WriteAllText(
            _folder.File("chat.json"),
            $$"""[{"role": "user", "content": "the box"}, {{earlier}}, {"role": "user", "content": "which?"}]"""
        );
        var run = await RunAsync(["--messages", _folder.File("chat.json"), "-n", "1", "--json"], question: []);
        using var json = JsonDocument.Parse(run.Output);
        return json.RootElement.GetProperty("promptTokens").GetInt32();
    }

    private async Task<CommandRun> RunAsync(string[] arguments, string[]? question = null)
    {
        question ??= ["-p", "the red box"];
        string[] model = ["-m", TestModels.Qwen3VlThinking.ModelPath, "-t", "1", "-o", _folder.File("report.html")];
        var run = await CommandRun.Of(["explain", .. model, .. question, .. arguments]);
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }
}
