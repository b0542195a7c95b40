using System.Text.Json;
using Microsoft.Playwright;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>A server whose model thinks before it answers (random weights, so the answers are given).</summary>
[Collection(OnePage.Name)]
public sealed class ThinkingModelTests(Chromium browser)
{
    private const string Path = "/v1/chat/completions";

    private static readonly object Question = RunningServer.Message("the red box", RunningServer.Scene);

    private static readonly object Answer = new
    {
        role = "assistant",
        content = "a cup",
        reasoning_content = "a table\n\nnear a window\n",
    };

    /// <summary>This model's template has no switch; it always lets the model think.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, "chat_template_kwargs.enable_thinking: this model")]
    [InlineData("x", "enable_thinking")]
    [InlineData(1, "enable_thinking")]
    public async Task Chat_Thinking_IsAskedForOrRefused(object value, string? fault)
    {
        await using var server = await StartAsync();
        using var answer = await server.PostAsync(
            new
            {
                messages = new[] { Question },
                max_tokens = 2,
                chat_template_kwargs = new { enable_thinking = value },
            },
            Path
        );
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Equal(fault is null ? 200 : 400, (int)answer.StatusCode);
        Assert.Contains(fault ?? "reasoning_content", body, StringComparison.Ordinal);

        using var explained = await server.PostAsync(
            new
            {
                messages = new[] { Question },
                maxTokens = 2,
                thinking = value,
            }
        );
        Assert.Equal(fault is null ? 200 : 400, (int)explained.StatusCode);
    }

    [Fact]
    public async Task Chat_TemplateArgumentsOfOtherNames_AreRefused()
    {
        await using var server = await StartAsync();
        using var answer = await server.PostAsync(
            new { messages = new[] { Question }, chat_template_kwargs = new { x = 1 } },
            Path
        );
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Contains("enable_thinking", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_Answer_HasItsThoughtAsReasoningContent()
    {
        await using var server = await StartAsync();
        using var answer = await server.PostAsync(
            new
            {
                messages = new[] { Question, Answer },
                logprobs = true,
                tamx = new { maps = true },
            },
            Path
        );
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        using var json = JsonDocument.Parse(body);

        var choice = json.RootElement.GetProperty("choices")[0];
        Assert.Equal("a cup", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(
            "a table\n\nnear a window",
            choice.GetProperty("message").GetProperty("reasoning_content").GetString()
        );

        // The thought's tokens are the answer's first, with maps and probabilities as the others.
        var maps = json.RootElement.GetProperty("tamx").GetProperty("maps");
        var tokens = maps.GetProperty("answer").EnumerateArray().ToList();
        var end = tokens.FindIndex(token => token.GetProperty("token").GetProperty("text").GetString() == "</think>");
        Assert.Equal(end + 1, maps.GetProperty("thoughtTokens").GetInt32());
        Assert.All(
            tokens,
            token => Assert.NotEqual(0, token.GetProperty("token").GetProperty("maps")[0].GetArrayLength())
        );
        Assert.Equal(
            tokens.Select(token => token.GetProperty("token").GetProperty("text").GetString()),
            choice
                .GetProperty("logprobs")
                .GetProperty("content")
                .EnumerateArray()
                .Select(token => token.GetProperty("token").GetString())
        );
    }

    [Fact]
    public async Task Chat_Stream_GrowsThoughtAndContentApart()
    {
        await using var server = await StartAsync();
        var (thought, content) = ("", "");
        await foreach (
            var (_, data) in server.StreamAsync(new { messages = new[] { Question, Answer }, stream = true }, Path)
        )
        {
            if (data.ValueKind == JsonValueKind.Undefined)
            {
                break;
            }

            var delta = data.GetProperty("choices")[0].GetProperty("delta");
            Assert.False(delta.TryGetProperty("reasoning_content", out _) && delta.TryGetProperty("content", out _));
            Assert.True(content.Length == 0 || !delta.TryGetProperty("reasoning_content", out _));
            thought += delta.TryGetProperty("reasoning_content", out var more) ? more.GetString() : "";
            content += delta.TryGetProperty("content", out more) ? more.GetString() : "";
        }

        Assert.Equal(("a table\n\nnear a window", "a cup"), (thought, content));
    }

    [Fact]
    public async Task Explain_CutOffInTheThought_HasNoAnswer()
    {
        await using var server = await StartAsync();
        var (thought, done) = ("", default(JsonElement));
        await foreach (var (name, data) in server.StreamAsync(new { messages = new[] { Question }, maxTokens = 3 }))
        {
            if (name == "token")
            {
                Assert.True(data.GetProperty("isThought").GetBoolean());
                Assert.Equal("", data.GetProperty("answer").GetString());
                thought += data.GetProperty("thought").GetString();
            }

            done = name == "done" ? data : done;
        }

        Assert.Equal("", done.GetProperty("answer").GetString());
        Assert.NotEqual("", thought);
        Assert.Equal(thought, done.GetProperty("thought").GetString());
    }

    [Fact]
    public async Task Chat_ThoughtOfAnEarlierTurn_IsLeftOut()
    {
        await using var server = await StartAsync();

        Assert.Equal(await PromptTokens(new { role = "assistant", content = "a cup" }), await PromptTokens(Answer));
        Assert.Equal(
            await PromptTokens(new { role = "assistant", content = "" }),
            await PromptTokens(new { role = "assistant", reasoning_content = "a table" })
        );

        async Task<int> PromptTokens(object earlier)
        {
            object[] messages = [Question, earlier, new { role = "user", content = "the blue box" }];
            using var answer = await server.PostAsync(
                new
                {
                    messages,
                    max_tokens = 1,
                    tamx = new { maps = false },
                },
                Path
            );
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, body);
            return JsonDocument.Parse(body).RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();
        }
    }

    [Fact]
    public async Task Page_GivenAnswer_ShowsItsThoughtApart()
    {
        await using var server = await StartAsync();
        await using var page = await OpenPage.StartAsync(browser, server);
        await page.HandOverAsync("drop", "scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("the red box");
        await page.Button("Given answer").ClickAsync();
        await page.Page.Locator("textarea[name=answer]").FillAsync("<think>\na table near\n</think>\n\na cup");
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        await Assertions.Expect(page.Page.Locator(".thought summary")).ToHaveTextAsync("Thought");
        await Assertions.Expect(page.Page.Locator(".thought .turn-text")).ToContainTextAsync("a table near");
        await Assertions.Expect(page.Page.Locator(".answer .turn-text")).ToHaveTextAsync("a cup");
        await page.Page.Locator(".thought .token", new() { HasText = "table" }).ClickAsync();
        await Assertions.Expect(page.Page.Locator(".stage.mapped")).ToHaveCountAsync(1);
    }

    private static Task<RunningServer> StartAsync() =>
        RunningServer.StartAsync(
            RunningServer.Options with
            {
                Model = new ModelOptions
                {
                    ModelPath = TestModels.Qwen3VlThinking.ModelPath,
                    ProjectorPath = TestModels.Qwen3VlThinking.ProjectorPath,
                    ThreadCount = 1,
                },
            }
        );
}
