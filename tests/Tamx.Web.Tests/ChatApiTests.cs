using System.Text.Json;

namespace Tamx.Web.Tests;

[Collection(OneServer.Name)]
public sealed class ChatApiTests(SharedServer shared)
{
    private const string Path = "/v1/chat/completions";

    private static readonly object[] Messages = [RunningServer.Message("Describe this image.", RunningServer.Scene)];

    private readonly RunningServer _server = shared.Running;

    [Fact]
    public async Task Chat_AsDocument_HasOpenAisShapeAndTheMaps()
    {
        using var answer = await _server.PostAsync(
            new
            {
                model = "whatever",
                messages = Messages,
                max_tokens = 3,
                logprobs = true,
                user = "x",
                tools = Array.Empty<int>(),
            },
            Path
        );
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var root = json.RootElement;
        Assert.Equal("chat.completion", root.GetProperty("object").GetString());
        var choice = root.GetProperty("choices")[0];
        Assert.Equal("An orange cross", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(
            ["An", " orange", " cross"],
            choice
                .GetProperty("logprobs")
                .GetProperty("content")
                .EnumerateArray()
                .Select(token => token.GetProperty("token").GetString())
        );
        Assert.Equal(3, root.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var run = root.GetProperty("tamx").GetProperty("run").GetString();
        Assert.Equal($"chatcmpl-{run}", root.GetProperty("id").GetString());
        Assert.Equal(
            await _server.Client.GetStringAsync($"/api/runs/{run}/maps.json"),
            root.GetProperty("tamx").GetProperty("maps").GetRawText()
        );
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(5, 1)]
    [InlineData(0, 4)]
    public async Task Chat_TopLogprobs_AreTheLikeliestTokens(int count, int? candidates)
    {
        using var answer = await _server.PostAsync(
            new
            {
                messages = Messages,
                max_tokens = 4,
                logprobs = true,
                top_logprobs = count,
                tamx = new { maps = false, candidates },
            },
            Path
        );
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        var choice = json.RootElement.GetProperty("choices")[0];
        var tokens = choice.GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();
        Assert.Equal(4, tokens.Count);
        foreach (var token in tokens)
        {
            var top = token.GetProperty("top_logprobs").EnumerateArray().ToList();
            Assert.Equal(count, top.Count);
            Assert.Equal(top.OrderByDescending(one => one.GetProperty("logprob").GetDouble()), top);
            if (count > 0)
            {
                // The answer is greedy.
                Assert.Equal(token.GetProperty("token").GetString(), top[0].GetProperty("token").GetString());
                Assert.Equal(token.GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble());
                Assert.Equal(
                    top[0].GetProperty("token").GetString()!.Length,
                    top[0].GetProperty("bytes").GetArrayLength()
                );
            }
        }
    }

    [Theory]
    [InlineData("presence_penalty", "20")]
    [InlineData("frequency_penalty", "15.5")]
    [InlineData("repeat_penalty", "3")]
    public async Task Chat_Penalty_ChangesTheAnswer(string name, string value)
    {
        var plain = await Answer("");
        var penalized = await Answer($"\"{name}\":{value},\"repeat_last_n\":-1,");

        Assert.NotEqual(plain, penalized);
        Assert.Equal(plain, await Answer($"\"{name}\":{value},\"repeat_last_n\":0,"));

        async Task<string> Answer(string options)
        {
            var message = JsonSerializer.Serialize(Messages[0]);
            using var content = new StringContent(
                "{" + options + $"\"messages\":[{message}],\"max_tokens\":24,\"tamx\":" + "{\"maps\":false}}",
                System.Text.Encoding.UTF8,
                "application/json"
            );
            using var answer = await _server.Client.PostAsync(Path, content);
            using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            var choice = json.RootElement.GetProperty("choices")[0];
            return choice.GetProperty("message").GetProperty("content").GetString()!;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Chat_AsStream_GivesChunksTheirMapsAndTheEnd(bool maps)
    {
        var chunks = new List<JsonElement>();
        await foreach (
            var (_, data) in _server.StreamAsync(
                new
                {
                    messages = Messages,
                    max_tokens = 3,
                    stream = true,
                    stream_options = new { include_usage = true },
                    tamx = new { maps },
                },
                Path
            )
        )
        {
            chunks.Add(data);
        }

        Assert.Equal(JsonValueKind.Undefined, chunks[^1].ValueKind);
        Assert.Equal(3, chunks[^2].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", chunks[^3].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        var deltas = chunks[..^2]
            .Select(chunk => chunk.GetProperty("choices")[0].GetProperty("delta"))
            .Where(delta => delta.TryGetProperty("content", out _))
            .ToList();
        Assert.Equal("assistant", deltas[0].GetProperty("role").GetString());
        Assert.Equal(
            "An orange cross",
            string.Concat(deltas.Select(delta => delta.GetProperty("content").GetString()))
        );
        Assert.Equal(
            maps ? 3 : 0,
            chunks[..^2]
                .Count(chunk => chunk.TryGetProperty("tamx", out var tamx) && tamx.TryGetProperty("token", out _))
        );
    }

    [Fact]
    public async Task Chat_WholeAnswer_EndsWithStop()
    {
        using var answer = await _server.PostAsync(new { messages = Messages, tamx = new { maps = false } }, Path);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("stop", json.RootElement.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.False(json.RootElement.GetProperty("tamx").TryGetProperty("maps", out _));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "max_tokens")]
    [InlineData("/api/explain", "maxTokens")]
    public async Task Messages_InOllamasShapeWithAMarkBefore_AreAnsweredAboutThePicture(string path, string most)
    {
        var scene = Convert.ToBase64String(RunningServer.Scene);
        var json = $$"""
            {"messages":[{"role":"user","content":"Describe this image.","images":["{{scene}}"]}],"{{most}}":3}
            """;
        using var content = new ByteArrayContent([0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes(json)]);
        content.Headers.ContentType = new("application/json");
        using var answer = await _server.Client.PostAsync(path, content);
        Assert.Contains("cross", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_PictureWithMaxPixels_HasFewerTokens()
    {
        var url = RunningServer.DataUrl(RunningServer.Scene);
        var part = new
        {
            type = "image_url",
            image_url = new { url },
            max_pixels = 16 * 1024,
        };
        var messages = new[] { new { role = "user", content = new[] { part } } };
        using var answer = await _server.PostAsync(
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
        using var json = JsonDocument.Parse(body);
        Assert.InRange(json.RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), 16, 40);
    }

    [Theory]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"n\":2}", "unsupported")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stop\":[\"a\"]}", "unsupported")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stop\":\"a\"}", "unsupported")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}]}", "unsupported")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_object\"}}",
        "unsupported"
    )]
    [InlineData(
        """
            {"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://127.0.0.1/"}}]}]}
            """,
        "source_refused"
    )]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"presence_penalty\":1000}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"frequency_penalty\":\"1\"}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"repeat_penalty\":0}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"repeat_last_n\":-2}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"min_p\":1.5}", "invalid_value")]
    [InlineData("[]", "invalid_value")]
    public async Task Chat_ThatAsksForWhatThereIsNot_IsRefused(string json, string code)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        await RunningServer.AssertErrorAsync(await _server.Client.PostAsync(Path, content), 400, code);
    }

    [Fact]
    public async Task Models_AreTheOneThereIs()
    {
        using var json = JsonDocument.Parse(await _server.Client.GetStringAsync("/v1/models"));
        Assert.Equal("tamx-demo-grounded", json.RootElement.GetProperty("data")[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Metrics_AfterARequest_CountIt()
    {
        await _server.AssertServesAsync();
        var text = await _server.Client.GetStringAsync("/metrics");
        Assert.Matches("tamx_http_requests_total\\{route=\"/api/explain\",status=\"200\"\\} [1-9]", text);
        Assert.Contains("tamx_model_ready 1\n", text, StringComparison.Ordinal);
        Assert.Matches("tamx_answer_tokens_total [1-9]", text);
        Assert.All(
            text.TrimEnd('\n').Split('\n'),
            line => Assert.Matches("^(# (HELP|TYPE) .+|[a-z_]+(\\{.*\\})? [0-9.E+-]+)$", line)
        );
    }
}
