using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// A model as Microsoft.Extensions.AI's chat client, alone and in its pipeline. That this file compiles shows that no
/// name of ours collides with one of theirs.
/// </summary>
public sealed class ChatClientTests
{
    private const string Question = "Describe this image.";

    private static readonly ImagePart Picture = TestPictures.Gradient(128, 96);
    private static readonly TamxChatClientOptions Few = new()
    {
        Explain = new ExplainOptions
        {
            Completion = new CompletionOptions { MaxNewTokens = 6, CandidateCount = 2 },
        },
    };

    private static VisionLanguageModel Model => LoadedModels.Get("qwen3vl");

    private static ChatMessage[] Asked => [new(ChatRole.User, [Data(Picture), new TextContent(Question)])];

    private static ChatTurn[] AskedTurns => [new(TurnRole.User, [Picture, new TextPart(Question)])];

    [Fact]
    public async Task GetResponseAsync_Question_IsTheExplainersAnswerWithItsMaps()
    {
        using var client = Model.AsChatClient(Few, new ReferenceEngine());
        var expected = await Explainer.ExplainAsync(Model, AskedTurns, Few.Explain, new ReferenceEngine());

        var response = await client.GetResponseAsync(Asked);

        Assert.Equal(expected.Answer, response.Text);
        AssertSame(expected, response.GetExplanation()!);
        Assert.Same(response.GetExplanation(), response.AdditionalProperties!["tamx.explanation"]);
        Assert.Same(response.GetExplanation(), client.GetService<Explanation>());
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(expected.Maps.Answer[0].Position, response.Usage!.InputTokenCount);
        Assert.Equal(6, response.Usage.OutputTokenCount);
        Assert.Equal(response.Usage.InputTokenCount + 6, response.Usage.TotalTokenCount);
        Assert.Equal(0, response.Usage.ReasoningTokenCount);
        Assert.Equal(client.GetService<ChatClientMetadata>()!.DefaultModelId, response.ModelId);
        Assert.Equal(Model.Facts.Name, response.ModelId);
        Assert.False(string.IsNullOrEmpty(response.ResponseId));
        Assert.Equal(ChatRole.Assistant, Assert.Single(response.Messages).Role);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetStreamingResponseAsync_Question_GivesTheSameTokenByToken(bool withMaps)
    {
        using var client = Model.AsChatClient(Few with { WithMaps = withMaps }, new ReferenceEngine());
        var whole = await client.GetResponseAsync(Asked);

        var updates = await client.GetStreamingResponseAsync(Asked).ToListAsync(TestContext.Current.CancellationToken);
        var response = updates.ToChatResponse();

        Assert.Equal(whole.Text, response.Text);
        Assert.Equal(7, updates.Count);
        Assert.Equal(whole.FinishReason, response.FinishReason);
        Assert.Equal(whole.Usage!.InputTokenCount, response.Usage!.InputTokenCount);
        Assert.Equal(whole.Usage.OutputTokenCount, response.Usage.OutputTokenCount);
        Assert.Equal(whole.ModelId, response.ModelId);
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        Assert.NotEqual(whole.ResponseId, response.ResponseId);
        Assert.Single(response.Messages);
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.GetExplanation()));
        if (!withMaps)
        {
            Assert.Null(whole.GetExplanation());
            Assert.Null(response.GetExplanation());
            Assert.All(updates, update => Assert.Null(update.GetToken()));
            Assert.Null(client.GetService<Explanation>());
            return;
        }

        AssertSame(whole.GetExplanation()!, response.GetExplanation()!);
        Assert.Same(updates[^1].GetExplanation(), response.GetExplanation());
        Assert.Equal(
            response.GetExplanation()!.Maps.Answer,
            updates.SkipLast(1).Select(update => update.GetToken()!.Explained)
        );
    }

    [Fact]
    public async Task GetResponseAsync_Options_AreTheCompletions()
    {
        var completion = new CompletionOptions
        {
            MaxNewTokens = 9,
            Temperature = 2.5f,
            TopP = 0.9f,
            TopK = 30,
            PresencePenalty = 0.5f,
            FrequencyPenalty = 0.25f,
            Seed = 77,
            StopTexts = ["zebra"],
            CandidateCount = 2,
        };
        using var client = Model.AsChatClient(Few, new ReferenceEngine());
        var expected = await Explainer.ExplainAsync(
            Model,
            [new ChatTurn(TurnRole.System, "Be brief.\n\nBe kind."), .. AskedTurns],
            new ExplainOptions { Completion = completion },
            new ReferenceEngine()
        );

        var response = await client.GetResponseAsync(
            [new ChatMessage(ChatRole.System, "Be kind."), .. Asked],
            new ChatOptions
            {
                Instructions = "Be brief.",
                MaxOutputTokens = 9,
                Temperature = 2.5f,
                TopP = 0.9f,
                TopK = 30,
                PresencePenalty = 0.5f,
                FrequencyPenalty = 0.25f,
                Seed = 77 + (5L << 32),
                StopSequences = ["zebra"],
                // What says nothing that bears on the answer.
                ModelId = "another",
                ResponseFormat = ChatResponseFormat.Text,
                ToolMode = ChatToolMode.Auto,
                AllowMultipleToolCalls = true,
                AllowBackgroundResponses = true,
                Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High },
                AdditionalProperties = new AdditionalPropertiesDictionary { ["trace"] = "on" },
            }
        );

        AssertSame(expected, response.GetExplanation()!);
        Assert.Equal(completion.Seed, response.GetExplanation()!.Trace.Run.Seed);
        Assert.Equal(completion.TopK, response.GetExplanation()!.Trace.Run.TopK);
    }

    [Fact]
    public async Task GetResponseAsync_RawRepresentationFactory_GivesExplainOptions()
    {
        using var client = Model.AsChatClient(Few, new ReferenceEngine());
        var options = new ChatOptions
        {
            MaxOutputTokens = 3,
            RawRepresentationFactory = _ => new ExplainOptions
            {
                Tam = new TamOptions { KernelSize = 5 },
                Completion = new CompletionOptions { CandidateCount = 5 },
            },
        };

        var explanation = (await client.GetResponseAsync(Asked, options)).GetExplanation()!;

        Assert.Equal(3, explanation.Maps.Answer.Count);
        Assert.Equal(5, explanation.Maps.Answer[0].Candidates.Count);
        Assert.Equal(5, explanation.Maps.Options.KernelSize);
    }

    public static TheoryData<string, ChatOptions> Unsupported =>
        new()
        {
            {
                "Tools",
                new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] }
            },
            {
                "ToolMode",
                new ChatOptions { ToolMode = ChatToolMode.RequireAny }
            },
            {
                "ResponseFormat",
                new ChatOptions { ResponseFormat = ChatResponseFormat.Json }
            },
            {
                "ResponseFormat",
                new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema<int>() }
            },
            {
                "ConversationId",
                new ChatOptions { ConversationId = "1" }
            },
            {
                "MaxOutputTokens",
                new ChatOptions { MaxOutputTokens = 0 }
            },
            {
                "Temperature",
                new ChatOptions { Temperature = -0.1f }
            },
            {
                "Temperature",
                new ChatOptions { Temperature = float.NaN }
            },
            {
                "TopP",
                new ChatOptions { TopP = 1.5f }
            },
            {
                "TopK",
                new ChatOptions { TopK = -1 }
            },
            {
                "PresencePenalty",
                new ChatOptions { PresencePenalty = 101 }
            },
            {
                "FrequencyPenalty",
                new ChatOptions { FrequencyPenalty = float.NegativeInfinity }
            },
        };

    [Theory]
    [MemberData(nameof(Unsupported), DisableDiscoveryEnumeration = true)]
    public async Task GetResponseAsync_UnsupportedOption_IsRefusedByName(string name, ChatOptions options)
    {
        using var client = Model.AsChatClient(Few);

        var whole = await Assert.ThrowsAsync<InvalidInputException>(() => client.GetResponseAsync(Asked, options));
        var streamed = await Assert.ThrowsAsync<InvalidInputException>(async () =>
            await client.GetStreamingResponseAsync(Asked, options).ToListAsync()
        );

        Assert.StartsWith($"ChatOptions.{name} ", whole.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', whole.Message);
        Assert.Equal(whole.Message, streamed.Message);
        Assert.False(string.IsNullOrEmpty((await client.GetResponseAsync(Asked)).Text));
    }

    public static TheoryData<string, ChatMessage> Unreadable =>
        new()
        {
            { "message 2 has a FunctionCallContent", Said(ChatRole.Assistant, new FunctionCallContent("1", "one")) },
            { "message 2 has the role \"tool\"", Said(ChatRole.Tool, new TextContent("1")) },
            { "message 2 has a TextReasoningContent", Said(ChatRole.User, new TextReasoningContent("hm")) },
            { "message 2 has data of type audio/wav", Said(ChatRole.User, new DataContent(new byte[9], "audio/wav")) },
            { "message 2's image/png", Said(ChatRole.User, new DataContent(new byte[99], "image/png")) },
            { "cup.png", Said(ChatRole.User, new DataContent(new byte[99], "image/png") { Name = "cup.png" }) },
            {
                "message 2 names an address",
                Said(ChatRole.User, new UriContent("https://a.example/b.png", "image/png"))
            },
            { "message 2 names an address", Said(ChatRole.User, new UriContent("file://host/b.png", "image/png")) },
            { "no files may be opened here", Said(ChatRole.User, new UriContent("file:///b.png", "image/png")) },
            { "message 2 has a HostedFileContent", Said(ChatRole.User, new HostedFileContent("1")) },
        };

    [Theory]
    [MemberData(nameof(Unreadable), DisableDiscoveryEnumeration = true)]
    public async Task GetResponseAsync_ContentThatTheModelCannotRead_IsRefused(string fault, ChatMessage message)
    {
        using var client = Model.AsChatClient(Few);

        var exception = await Assert.ThrowsAnyAsync<InvalidInputException>(() =>
            client.GetResponseAsync([.. Asked, message])
        );

        Assert.Contains(fault, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public async Task GetResponseAsync_History_IsReadInOrder()
    {
        using var client = Model.AsChatClient(Few, new ReferenceEngine());
        var second = TestPictures.Gradient(64, 160);
        var expected = await Explainer.ExplainAsync(
            Model,
            [
                new ChatTurn(TurnRole.System, "Be brief."),
                new ChatTurn(TurnRole.User, [Picture, new TextPart("What is it?")]),
                new ChatTurn(TurnRole.Assistant, "A red circle."),
                new ChatTurn(TurnRole.User, [new TextPart("And here? "), second]),
            ],
            Few.Explain,
            new ReferenceEngine()
        );

        var response = await client.GetResponseAsync([
            new ChatMessage(new ChatRole("developer"), "Be brief."),
            // A data URI is the same as bytes.
            new ChatMessage(
                ChatRole.User,
                [new UriContent(Data(Picture).Uri, "image/png"), new TextContent("What is it?")]
            ),
            new ChatMessage(
                ChatRole.Assistant,
                [new TextContent("A red"), new TextContent(" circle."), new UsageContent(new UsageDetails())]
            ),
            new ChatMessage(ChatRole.User, [new TextContent("And here? "), Data(second)]),
        ]);

        AssertSame(expected, response.GetExplanation()!);
    }

    [Fact]
    public async Task GetResponseAsync_FileOfAnAllowedFolder_IsOpened()
    {
        using var folder = new TemporaryFolder();
        var (inside, outside) = (Directory.CreateDirectory(folder.File("in")).FullName, folder.File("out.png"));
        var path = Path.Combine(inside, "a picture.png");
        await File.WriteAllBytesAsync(path, Picture.Encoded.ToArray());
        await File.WriteAllBytesAsync(outside, Picture.Encoded.ToArray());
        File.CreateSymbolicLink(Path.Combine(inside, "away.png"), outside);
        using var client = Model.AsChatClient(Few with { Files = new AllowedFolders([inside]) }, new ReferenceEngine());

        var response = await client.GetResponseAsync([Named(path)]);

        Assert.Equal((await client.GetResponseAsync(Asked)).Text, response.Text);
        foreach (var other in (string[])[outside, Path.Combine(inside, "away.png"), inside + "/../out.png"])
        {
            var exception = await Assert.ThrowsAsync<InvalidInputException>(() =>
                client.GetResponseAsync([Named(other)])
            );
            Assert.Contains("is outside the folders", exception.Message, StringComparison.Ordinal);
        }

        static ChatMessage Named(string path) =>
            new(ChatRole.User, [new UriContent(new Uri(path), "image/png"), new TextContent(Question)]);
    }

    [Fact]
    public async Task GetResponseAsync_Video_IsSeenAsOne()
    {
        TestVideos.SkipWithoutFfmpeg();
        using var folder = new TemporaryFolder();
        TestVideos.Write(folder.File("clip.mp4"), 2);
        var bytes = await File.ReadAllBytesAsync(folder.File("clip.mp4"));
        using var client = Model.AsChatClient(Few with { Sampling = new() { MaxFrames = 4 } }, new ReferenceEngine());

        var response = await client.GetResponseAsync([
            Said(ChatRole.User, new DataContent(bytes, "video/mp4"), new TextContent("What moves?")),
        ]);

        Assert.Equal(2, response.GetExplanation()!.Maps.Layout.VisionBlocks.Count);
    }

    [Fact]
    public async Task GetResponseAsync_GivenAnswerOfAThinkingModel_HasReasoningApart()
    {
        using var client = LoadedModels.Get("qwen3vl-thinking").AsChatClient(Few, new ReferenceEngine());
        ChatMessage[] messages =
        [
            .. Asked,
            Said(ChatRole.Assistant, new TextReasoningContent(" red cup"), new TextContent(" blue box")),
        ];

        var response = await client.GetResponseAsync(messages);
        var streamed = (await client.GetStreamingResponseAsync(messages).ToListAsync()).ToChatResponse();
        var silent = await client.GetResponseAsync(
            messages,
            new ChatOptions { Reasoning = new ReasoningOptions { Output = ReasoningOutput.None } }
        );

        foreach (var one in (ChatResponse[])[response, streamed])
        {
            Assert.Equal(" red cup", Assert.Single(one.Messages[0].Contents.OfType<TextReasoningContent>()).Text);
            Assert.Equal(" blue box", one.Text);
            Assert.Equal(ChatFinishReason.Stop, one.FinishReason);
            Assert.Equal(one.GetExplanation()!.Maps.Layout.ThoughtCount, one.Usage!.ReasoningTokenCount);
            Assert.True(one.Usage.ReasoningTokenCount > 0);
        }

        Assert.Equal(" blue box", Assert.IsType<TextContent>(Assert.Single(silent.Messages[0].Contents)).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetResponseAsync_StopTextAtTheBeginning_IsAnEmptyAnswer(bool withMaps)
    {
        using var client = Model.AsChatClient(Few with { WithMaps = withMaps }, new ReferenceEngine());
        var text = (await client.GetResponseAsync(Asked)).Text;
        var options = new ChatOptions { StopSequences = [text[..1]] };

        var response = await client.GetResponseAsync(Asked, options);
        var streamed = await client.GetStreamingResponseAsync(Asked, options).ToListAsync();

        Assert.Equal("", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(0, response.Usage!.OutputTokenCount);
        Assert.Null(response.GetExplanation());
        Assert.Equal(ChatFinishReason.Stop, Assert.Single(streamed).FinishReason);
    }

    [Fact]
    public async Task GetResponseAsync_SeveralCallers_AreServedOneAfterAnother()
    {
        using var client = Model.AsChatClient(Few);
        var expected = (await client.GetResponseAsync(Asked)).Text;

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(async i =>
                    i % 2 == 0
                        ? (await client.GetResponseAsync(Asked)).Text
                        : (await client.GetStreamingResponseAsync(Asked).ToListAsync()).ToChatResponse().Text
                )
        );

        Assert.All(answers, answer => Assert.Equal(expected, answer));
    }

    [Fact]
    public async Task GetStreamingResponseAsync_AskedAgainWhileReading_DoesNotWaitForEver()
    {
        using var client = Model.AsChatClient(Few);
        var nested = 0;
        await foreach (var update in client.GetStreamingResponseAsync(Asked))
        {
            nested += (await client.GetResponseAsync(Asked).WaitAsync(TimeSpan.FromMinutes(2))).Text.Length > 0 ? 1 : 0;
        }

        Assert.Equal(7, nested);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_ReaderStops_LeavesTheModelToTheNext()
    {
        using var client = Model.AsChatClient(Few);
        var long1 = new ChatOptions { MaxOutputTokens = 100_000 };
        await foreach (var update in client.GetStreamingResponseAsync(Asked, long1))
        {
            break;
        }

        Assert.Equal(6, (await client.GetResponseAsync(Asked)).Usage!.OutputTokenCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetResponseAsync_Cancelled_ThrowsAndLeavesTheModelToTheNext(bool streamed)
    {
        using var client = Model.AsChatClient(Few);
        var endless = new ChatOptions { MaxOutputTokens = 100_000 };
        using var cancel = new CancellationTokenSource();
        var waiting = new CancellationTokenSource();

        var running = Task.Run(async () =>
        {
            if (!streamed)
            {
                cancel.CancelAfter(300);
                await client.GetResponseAsync(Asked, endless, cancel.Token);
                return;
            }

            await foreach (var update in client.GetStreamingResponseAsync(Asked, endless, cancel.Token))
            {
                await cancel.CancelAsync();
            }
        });
        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal(cancel.Token, exception.CancellationToken);
        Assert.Equal(6, (await client.GetResponseAsync(Asked)).Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Dispose_WhileItWrites_EndsTheAnswersAndLeavesTheModel()
    {
        var client = Model.AsChatClient(Few);
        var endless = new ChatOptions { MaxOutputTokens = 100_000 };
        var updates = client.GetStreamingResponseAsync(Asked, endless).GetAsyncEnumerator();
        Assert.True(await updates.MoveNextAsync());
        var waiting = client.GetResponseAsync(Asked);

        client.Dispose();
        client.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            while (await updates.MoveNextAsync()) { }
        });
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync(Asked));
        using var other = Model.AsChatClient(Few);
        Assert.NotEmpty((await other.GetResponseAsync(Asked)).Text);
    }

    [Fact]
    public void GetService_KnownTypes_AreFoundThroughAPipeline()
    {
        using var own = Model.AsChatClient();
        using var client = own.AsBuilder().UseFunctionInvocation().UseLogging(new TraceLog()).Build();

        Assert.Same(Model, client.GetService<VisionLanguageModel>());
        Assert.Equal("tamx", client.GetService<ChatClientMetadata>()!.ProviderName);
        Assert.Null(client.GetService<Explanation>());
        Assert.Null(own.GetService<string>());
        Assert.Null(own.GetService(typeof(VisionLanguageModel), "key"));
        Assert.Same(own, own.GetService<IChatClient>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pipeline_FunctionsTelemetryAndLogging_KeepsTheMaps(bool streamed)
    {
        var log = new TraceLog();
        using var client = Model
            .AsChatClient(Few)
            .AsBuilder()
            .UseFunctionInvocation()
            .UseOpenTelemetry(configure: telemetry => telemetry.EnableSensitiveData = true)
            .UseLogging(log)
            .Build();

        var response = streamed
            ? (await client.GetStreamingResponseAsync(Asked).ToListAsync()).ToChatResponse()
            : await client.GetResponseAsync(Asked);

        var explanation = response.GetExplanation()!;
        Assert.Equal(explanation.Answer, response.Text);
        Assert.Equal(6, explanation.Maps.Answer.Count);
        // The log has the response as JSON, but none of its maps.
        var written = log.Lines.Where(line => line.Contains("tamx.explanation", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(written);
        Assert.All(written, line => Assert.True(line.Length < 5_000, line));
    }

    [Fact]
    public async Task ChatResponse_StoredAsJson_HasNoMapsWhenReadAgain()
    {
        using var client = Model.AsChatClient(Few);
        var response = await client.GetResponseAsync(Asked);

        var json = JsonSerializer.Serialize(response, AIJsonUtilities.DefaultOptions);
        var again = JsonSerializer.Deserialize<ChatResponse>(json, AIJsonUtilities.DefaultOptions)!;

        Assert.Equal(response.Text, again.Text);
        Assert.NotNull(response.GetExplanation());
        Assert.Null(again.GetExplanation());
    }

    private static DataContent Data(ImagePart picture) => new(picture.Encoded, "image/png") { Name = picture.Name };

    private static ChatMessage Said(ChatRole role, params AIContent[] contents) => new(role, contents);

    private static void AssertSame(Explanation expected, Explanation actual)
    {
        Assert.Equal(expected.Answer, actual.Answer);
        Assert.Equal(expected.Trace.TokenIds, actual.Trace.TokenIds);
        Assert.Equal(expected.Maps.Answer.Count, actual.Maps.Answer.Count);
        Assert.All(
            expected.Maps.Answer.Zip(actual.Maps.Answer),
            pair =>
            {
                Assert.Equal(
                    pair.First.Token.VisionMaps.SelectMany(map => map!.Values.ToArray()),
                    pair.Second.Token.VisionMaps.SelectMany(map => map!.Values.ToArray())
                );
                Assert.Equal(pair.First.Candidates.Count, pair.Second.Candidates.Count);
            }
        );
    }

    /// <summary>Keeps what is logged, down to the trace level, at which messages are written as JSON.</summary>
    private sealed class TraceLog : ILoggerFactory, ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public void AddProvider(ILoggerProvider provider) { }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            lock (_lines)
            {
                _lines.Add(formatter(state, exception));
            }
        }

        public void Dispose() { }
    }
}
