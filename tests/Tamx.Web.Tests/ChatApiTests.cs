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
                tamx = new { maps = true },
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
                tamx = new { maps = candidates is not null, candidates },
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
                Assert.Equal(token.GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble(), 1e-9);
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
        using var answer = await _server.PostAsync(new { messages = Messages }, Path);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("stop", json.RootElement.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
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

    /// <summary>The demo's answer begins "An orange cross"; nobody asked for maps, so there are none.</summary>
    [Fact]
    public async Task Chat_NobodyAsksForMaps_LeavesNothingBehind()
    {
        var before = await _server.Client.GetStringAsync("/api/runs");
        var folders = Directory.GetDirectories(_server.Server.FolderPath, "*", SearchOption.AllDirectories);

        var answer = await AskAsync("\"max_tokens\":3");

        Assert.Equal("An orange cross", ContentOf(answer));
        Assert.False(answer.TryGetProperty("tamx", out _));
        Assert.Equal(before, await _server.Client.GetStringAsync("/api/runs"));
        Assert.Equal(folders, Directory.GetDirectories(_server.Server.FolderPath, "*", SearchOption.AllDirectories));
        var chunks = await StreamAsync("\"max_tokens\":3");
        Assert.All(
            chunks,
            chunk =>
                Assert.False(
                    chunk.TryGetProperty("tamx", out var tamx)
                        && (tamx.TryGetProperty("head", out _) || tamx.TryGetProperty("token", out _))
                )
        );
    }

    [Fact]
    public async Task Chat_WithMapsAndWithout_IsTheSameAnswer()
    {
        const string Options = "\"max_tokens\":12,\"temperature\":0.8,\"seed\":4,\"logprobs\":true,\"top_logprobs\":2";

        var plain = await AskAsync(Options);
        var explained = await AskAsync(Options + ",\"tamx\":{\"maps\":true}");

        Assert.Equal(ContentOf(plain), ContentOf(explained));
        Assert.Equal(TokensOf(plain), TokensOf(explained));
        Assert.Equal(plain.GetProperty("usage").GetRawText(), explained.GetProperty("usage").GetRawText());
    }

    [Theory]
    [InlineData("\" cross\"", "An orange")]
    [InlineData("[\"diamond\",\"n orange cr\"]", "A")]
    [InlineData("\"An\"", "")]
    [InlineData("[\"An orange cross, \"]", "")]
    [InlineData("[\"é\",\"cross\\n\"]", "An orange cross, a blue")]
    [InlineData("[]", "An orange cross, a blue")]
    [InlineData("null", "An orange cross, a blue")]
    public async Task Chat_StopTexts_EndTheAnswer(string stop, string expected)
    {
        var options = $"\"max_tokens\":6,\"logprobs\":true,\"stop\":{stop}";
        var answer = await AskAsync(options);
        var chunks = await StreamAsync(options);

        Assert.Equal(expected, ContentOf(answer));
        Assert.Equal(expected, string.Concat(chunks.Select(DeltaOf)));
        var isMet = expected != "An orange cross, a blue";
        Assert.Equal(
            isMet ? "stop" : "length",
            answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString()
        );
        Assert.Equal(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), TokensOf(answer).Count);
        Assert.Equal(TokensOf(answer), chunks.SelectMany(TokensOf));
    }

    [Fact]
    public async Task Chat_StopTextAndMaps_ExplainsTheTokensBeforeIt()
    {
        var answer = await AskAsync("\"stop\":\"ss,\",\"tamx\":{\"maps\":true}");

        Assert.Equal("An orange cro", ContentOf(answer));
        Assert.Equal(3, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(3, answer.GetProperty("tamx").GetProperty("maps").GetProperty("answer").GetArrayLength());
    }

    [Fact]
    public async Task Chat_LogitBias_BansAndForcesTokens()
    {
        var ids = new List<int>();
        await foreach (var (name, data) in _server.StreamAsync(new { messages = Messages, maxTokens = 2 }))
        {
            if (name == "token")
            {
                ids.Add(data.GetProperty("id").GetInt32());
            }
        }

        var banned = ContentOf(await AskAsync($"\"max_tokens\":3,\"logit_bias\":{{\"{ids[1]}\":-100}}"));
        var forced = ContentOf(await AskAsync($"\"max_tokens\":3,\"logit_bias\":{{\"{ids[1]}\":100,\"0\":0.5}}"));
        var none = ContentOf(await AskAsync("\"max_tokens\":3,\"logit_bias\":{}"));

        Assert.StartsWith("An", banned, StringComparison.Ordinal);
        Assert.DoesNotContain("orange", banned, StringComparison.Ordinal);
        Assert.Equal(" orange orange orange", forced);
        Assert.Equal("An orange cross", none);
        var explained = await ExplainAsync(new() { ["logitBias"] = new Dictionary<int, int> { [ids[1]] = -100 } });
        Assert.DoesNotContain("orange", explained, StringComparison.Ordinal);
        Assert.EndsWith("An\"", await ExplainAsync(new() { ["stop"] = " orange" }), StringComparison.Ordinal);

        async Task<string> ExplainAsync(Dictionary<string, object> sampling)
        {
            var answer = "";
            await foreach (
                var (name, data) in _server.StreamAsync(
                    new
                    {
                        messages = Messages,
                        maxTokens = 3,
                        sampling,
                    }
                )
            )
            {
                answer = name == "done" ? data.GetProperty("answer").GetRawText() : answer;
            }

            return answer;
        }
    }

    [Fact]
    public async Task Chat_Region_ChangesTheAnswerWithAndWithoutMaps()
    {
        const string HidesTheCross = "\"region\":{\"use\":\"hide\",\"box\":[0,0,0.5,0.5]}";
        var hidden = ContentOf(await AskAsync($"\"tamx\":{{{HidesTheCross}}}"));
        var explained = await AskAsync($"\"tamx\":{{\"maps\":true,{HidesTheCross}}}");

        Assert.DoesNotContain("cross", hidden, StringComparison.Ordinal);
        Assert.Equal(hidden, ContentOf(explained));
        var region = explained.GetProperty("tamx").GetProperty("maps").GetProperty("region");
        Assert.Equal("hide", region.GetProperty("use").GetString());
    }

    [Theory]
    [InlineData("\"max_tokens\":-1", true)]
    [InlineData("\"max_tokens\":9", true)]
    [InlineData("\"max_tokens\":1e12", true)]
    [InlineData("\"max_completion_tokens\":4294967296", true)]
    [InlineData("\"max_completion_tokens\":5,\"max_tokens\":5", true)]
    [InlineData("\"max_tokens\":4", false)]
    [InlineData("\"max_tokens\":null", false)]
    public async Task Chat_MaxTokensBeyondTheLimit_AreBoundedAndItIsSaid(string option, bool isSaid)
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                Limits = new RequestLimits { MaxAnswerTokens = 4 },
            }
        );

        var answer = await AskAsync(option, server);
        var chunks = await StreamAsync(option, server);

        Assert.Equal("An orange cross,", ContentOf(answer));
        Assert.Equal("length", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(isSaid ? 4 : null, BoundOf(answer));
        Assert.Equal(isSaid ? 4 : null, BoundOf(chunks[0]));

        static int? BoundOf(JsonElement answer) =>
            answer.TryGetProperty("tamx", out var tamx) && tamx.TryGetProperty("maxTokens", out var most)
                ? most.GetInt32()
                : null;
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("9223372036854775807")]
    [InlineData("-9223372036854775808")]
    [InlineData("0")]
    public async Task Chat_AnySeedOf64Bits_IsTaken(string seed) =>
        Assert.NotEqual("", ContentOf(await AskAsync($"\"max_tokens\":2,\"temperature\":1,\"seed\":{seed}")));

    [Fact]
    public async Task Chat_WhatClientsSendBesides_IsPassedOver()
    {
        var answer = await AskAsync(
            """
            "max_tokens":3,"model":"gpt-4o","user":"u","metadata":{"a":"b"},"store":false,"service_tier":"auto",
            "safety_identifier":"s","prompt_cache_key":"k","prompt_cache_retention":"24h","parallel_tool_calls":true,
            "prediction":{"type":"content","content":"x"},"n":1,"tools":[],"functions":null,"tool_choice":"none",
            "function_call":"auto","response_format":{"type":"text"},"modalities":["text"],"audio":null,
            "reasoning_effort":null,"frequency_penalty":0,"stream_options":null,"logit_bias":null,"stop":null
            """
        );

        Assert.Equal("An orange cross", ContentOf(answer));
    }

    /// <summary>What an official client reads: members that are null are there.</summary>
    [Fact]
    public async Task Chat_WhatIsNotThere_IsNull()
    {
        var chunks = await StreamAsync("\"max_tokens\":2,\"stream_options\":{\"include_usage\":true}");

        Assert.All(
            chunks[..^2],
            chunk =>
            {
                var choice = chunk.GetProperty("choices")[0];
                Assert.Equal(JsonValueKind.Null, choice.GetProperty("finish_reason").ValueKind);
                Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
                Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind);
            }
        );
        Assert.Equal("length", chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Empty(chunks[^1].GetProperty("choices").EnumerateArray());
        Assert.Single(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
        var message = (await AskAsync("\"max_tokens\":1")).GetProperty("choices")[0].GetProperty("message");
        Assert.Equal(JsonValueKind.Null, message.GetProperty("refusal").ValueKind);
    }

    [Theory]
    [InlineData("{\"role\":\"assistant\",\"content\":null}")]
    [InlineData("{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":[],\"annotations\":[]}")]
    [InlineData(
        "{\"role\":\"assistant\",\"content\":\"A cat.\",\"refusal\":null,\"audio\":null,\"function_call\":null}"
    )]
    public async Task Chat_EarlierTurnAsClientsKeepIt_IsRead(string turn)
    {
        using var answer = await PostAsync(
            $"{{\"messages\":[{{\"role\":\"user\",\"content\":\"Hi\"}},{turn},{Question}],\"max_tokens\":3}}"
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Chat_StreamThatFailsBeforeItsFirstToken_HasTheErrorsStatus()
    {
        var part = new { type = "image_url", image_url = new { url = RunningServer.DataUrl([1, 2, 3]) } };
        var messages = new[] { new { role = "user", content = new[] { part } } };

        using var answer = await _server.PostAsync(new { messages, stream = true }, Path);

        await RunningServer.AssertErrorAsync(answer, 400, "invalid_image");
    }

    [Fact]
    public async Task Chat_SideBySide_EachGetsItsOwn()
    {
        var asked = Enumerable
            .Range(0, 6)
            .Select(async index =>
            {
                var maps = index % 2 == 0 ? ",\"tamx\":{\"maps\":true}" : "";
                var stop = new[] { " cross", " orange", "," }[index % 3];
                return ContentOf(await AskAsync($"\"max_tokens\":6,\"stop\":\"{stop}\"{maps}"));
            });

        Assert.Equal(
            ["An orange", "An", "An orange cross", "An orange", "An", "An orange cross"],
            await Task.WhenAll(asked)
        );
    }

    [Theory]
    [InlineData("\"stop\":\"\"", "stop")]
    [InlineData("\"stop\":[\"a\",\"\"]", "stop")]
    [InlineData("\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop")]
    [InlineData("\"stop\":5", "stop")]
    [InlineData("\"stop\":[null]", "stop")]
    [InlineData("\"logit_bias\":[[5,1]]", "logit_bias")]
    [InlineData("\"logit_bias\":{\" red\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"-5\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":100.5}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":false}", "logit_bias")]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"max_tokens\":-2", "max_tokens")]
    [InlineData("\"max_tokens\":1.5", "max_tokens")]
    [InlineData("\"max_completion_tokens\":\"5\"", "max_completion_tokens")]
    [InlineData("\"max_completion_tokens\":5,\"max_tokens\":6", "max_tokens")]
    [InlineData("\"seed\":1.5", "seed")]
    [InlineData("\"seed\":9223372036854775808", "seed")]
    [InlineData("\"top_logprobs\":21", "top_logprobs")]
    [InlineData("\"n\":0", "n")]
    [InlineData("\"n\":2", "n", "unsupported")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice", "unsupported")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "modalities", "unsupported")]
    [InlineData("\"reasoning_effort\":\"low\"", "reasoning_effort", "unsupported")]
    [InlineData("\"web_search_options\":{}", "web_search_options", "unsupported")]
    [InlineData("\"repetition_penalty\":1.2", "repetition_penalty", "unsupported")]
    [InlineData("\"stream_options\":{\"x\":1}", "stream_options.x", "unsupported")]
    [InlineData("\"stream_options\":true", "stream_options")]
    [InlineData("\"tamx\":{\"map\":true}", "map", "unknown_name")]
    [InlineData("\"tamx\":{\"candidates\":3}", "tamx.candidates")]
    [InlineData("\"tamx\":{\"maps\":false,\"options\":{}}", "tamx.options")]
    public async Task Chat_SettingThatCannotBe_IsRefusedByName(
        string option,
        string parameter,
        string code = "invalid_value"
    )
    {
        using var answer = await PostAsync($"{{\"messages\":[{Question}],{option}}}");

        Assert.Equal(400, (int)answer.StatusCode);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var error = json.RootElement.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Contains(parameter, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"logit_bias\":{\"999999\":1}", "token 999999 (logit_bias) is not in the model's vocabulary")]
    [InlineData("\"stop\":\"An\",\"tamx\":{\"maps\":true}", "begins with a stop text (stop)")]
    public async Task Chat_SettingThatTheModelCannotTake_IsRefusedByName(string option, string message)
    {
        using var answer = await PostAsync($"{{\"messages\":[{Question}],{option}}}");

        Assert.Equal(400, (int)answer.StatusCode);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Contains(
            message,
            json.RootElement.GetProperty("error").GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"x\"}]}", "tool_calls")]
    [InlineData("{\"role\":\"user\",\"content\":null}", "content")]
    [InlineData("{\"role\":\"assistant\"}", "content")]
    [InlineData("{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"y\"}", "tool")]
    public async Task Chat_TurnThatCannotBeUsed_IsRefusedByName(string turn, string name)
    {
        using var answer = await PostAsync($"{{\"messages\":[{turn},{Question}]}}");

        Assert.Equal(400, (int)answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Contains("message 0", body, StringComparison.Ordinal);
        Assert.Contains(name, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_ById_IsTheOneThereIsOrNone()
    {
        using var json = JsonDocument.Parse(await _server.Client.GetStringAsync("/v1/models/tamx-demo-grounded"));
        using var list = JsonDocument.Parse(await _server.Client.GetStringAsync("/v1/models"));
        Assert.Equal(list.RootElement.GetProperty("data")[0].GetRawText(), json.RootElement.GetRawText());

        foreach (var other in (string[])["gpt-4o", "a/b", "a%2Fb", "tamx-demo-grounded%20", "TAMX-DEMO-GROUNDED"])
        {
            using var answer = await _server.Client.GetAsync($"/v1/models/{other}");
            var body = await answer.Content.ReadAsStringAsync();
            Assert.Contains("\"param\":\"model\"", body, StringComparison.Ordinal);
            await RunningServer.AssertErrorAsync(answer, 404, "model_not_found");
        }
    }

    [Theory]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"n\":2}", "unsupported")]
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

    private static string Question => JsonSerializer.Serialize(Messages[0]);

    private static string ContentOf(JsonElement answer) =>
        answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    private static string? DeltaOf(JsonElement chunk) =>
        chunk.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("content", out var text)
            ? text.GetString()
            : null;

    /// <summary>Tokens and log-probabilities of an answer or a chunk.</summary>
    private static List<string> TokensOf(JsonElement answer) =>
        answer.GetProperty("choices")[0].GetProperty("logprobs") is { ValueKind: JsonValueKind.Object } logprobs
            ? [.. logprobs.GetProperty("content").EnumerateArray().Select(token => token.GetRawText())]
            : [];

    private Task<HttpResponseMessage> PostAsync(string json, RunningServer? server = null) =>
        (server ?? _server).Client.PostAsync(
            Path,
            new StringContent(json, System.Text.Encoding.UTF8, "application/json")
        );

    /// <summary>Asks about the picture.</summary>
    private async Task<JsonElement> AskAsync(string options, RunningServer? server = null)
    {
        using var answer = await PostAsync($"{{\"messages\":[{Question}],{options}}}", server);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Asks about the picture; the chunks of the answer.</summary>
    private async Task<List<JsonElement>> StreamAsync(string options, RunningServer? server = null)
    {
        using var answer = await PostAsync($"{{\"messages\":[{Question}],\"stream\":true,{options}}}", server);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        var lines = body.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).ToList();
        Assert.Equal("data: [DONE]", lines[^1]);
        return [.. lines[..^1].Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement)];
    }
}
