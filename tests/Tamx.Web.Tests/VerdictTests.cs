using System.Text.Json;
using Microsoft.Playwright;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>A server whose model is calibrated: its calibration chooses the method, and words have verdicts.</summary>
[Collection(OneServer.Name)]
public sealed class VerdictTests(CalibratedServer calibrated) : IClassFixture<CalibratedServer>
{
    private const string Path = "/v1/chat/completions";

    private static readonly object Question = RunningServer.Message("Describe this image.", RunningServer.Scene);

    /// <summary>A circle is not in the picture; the rest of the answer is what the model would write.</summary>
    private static readonly object WrongAnswer = new
    {
        role = "assistant",
        content = "An orange cross, a blue diamond and a purple circle.",
    };

    private readonly RunningServer _server = calibrated.Running;

    [Fact]
    public async Task Chat_Verdicts_CallAWrongNounUnsupported()
    {
        using var json = await AskAsync(
            new { messages = new[] { Question, WrongAnswer }, tamx = new { verdicts = true } }
        );

        var extension = json.RootElement.GetProperty("tamx");
        Assert.False(extension.TryGetProperty("maps", out _));
        var verdict = extension.GetProperty("verdict");
        Assert.Contains("three made-up pictures", verdict.GetProperty("calibration").GetString());
        Assert.Equal("seen", VerdictOf(verdict, "cross"));
        Assert.Equal("said", VerdictOf(verdict, "."));
        Assert.Equal("unsupported", VerdictOf(verdict, "circle"));
        using var runs = JsonDocument.Parse(await _server.Client.GetStringAsync("/api/runs"));
        var id = json.RootElement.GetProperty("id").GetString()!["chatcmpl-".Length..];
        Assert.DoesNotContain(runs.RootElement.EnumerateArray(), run => run.GetProperty("run").GetString() == id);
    }

    [Fact]
    public async Task Chat_VerdictsWithMaps_AreInBoth()
    {
        using var json = await AskAsync(
            new { messages = new[] { Question, WrongAnswer }, tamx = new { maps = true, verdicts = true } }
        );

        var extension = json.RootElement.GetProperty("tamx");
        Assert.Contains("Evidence, all layers", extension.GetProperty("calibration").GetString());
        var maps = extension.GetProperty("maps");
        Assert.Equal("evidence", maps.GetProperty("options").GetProperty("method").GetString());
        Assert.Equal(extension.GetProperty("calibration").GetString(), maps.GetProperty("calibration").GetString());
        foreach (
            var (word, other) in maps.GetProperty("words")
                .EnumerateArray()
                .Zip(extension.GetProperty("verdict").GetProperty("words").EnumerateArray())
        )
        {
            Assert.Equal(word.GetProperty("tokens").GetRawText(), other.GetProperty("tokens").GetRawText());
            Assert.Equal(
                word.GetProperty("support").GetProperty("verdict").GetString(),
                other.GetProperty("verdict").GetString()
            );
        }

        var report = await _server.Client.GetStringAsync(
            $"/api/runs/{extension.GetProperty("run").GetString()}/report.html"
        );
        Assert.Contains("unsupported", report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Chat_AsStream_HasTheVerdictAfterTheLastToken(bool maps)
    {
        var chunks = new List<JsonElement>();
        await foreach (
            var (_, data) in _server.StreamAsync(
                new
                {
                    messages = new[] { Question },
                    max_tokens = 5,
                    stream = true,
                    tamx = new { maps, verdicts = true },
                },
                Path
            )
        )
        {
            chunks.Add(data);
        }

        // The end of the events, the chunk with the reason, and before these the verdict.
        Assert.Equal("length", chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        var words = chunks[^3].GetProperty("tamx").GetProperty("verdict").GetProperty("words");
        Assert.Equal(
            ["An", "orange", "cross", ",", "a"],
            words.EnumerateArray().Select(word => word.GetProperty("text").GetString())
        );
        Assert.Equal("seen", words[2].GetProperty("verdict").GetString());
        Assert.Equal(maps ? 5 : 0, chunks.SkipLast(1).Count(HasMaps));

        static bool HasMaps(JsonElement chunk) =>
            chunk.TryGetProperty("tamx", out var extension) && extension.TryGetProperty("token", out _);
    }

    [Fact]
    public async Task Explain_RegionLookedAt_IsReadByTheCalibratedLayer()
    {
        var region = new
        {
            use = "lookAt",
            box = new[] { 0.5, 0.5, 1, 1 },
            alpha = 60,
        };
        var body = new
        {
            messages = new[] { Question },
            maxTokens = 2,
            region,
        };
        var id = "";
        await foreach (var (name, data) in _server.StreamAsync(body))
        {
            id = name == "done" ? data.GetProperty("run").GetString() : id;
        }

        using var folder = new TemporaryFolder();
        var path = folder.File("trace.safetensors");
        await File.WriteAllBytesAsync(
            path,
            await _server.Client.GetByteArrayAsync($"/api/runs/{id}/trace.safetensors")
        );
        Assert.Equal(0, TraceFile.Load(path).Run.Region!.Layer);
    }

    [Fact]
    public async Task Explain_Verdicts_AreAnEventBeforeTheEnd()
    {
        List<(string Name, JsonElement Data)> events = [];
        var body = new
        {
            messages = new[] { Question },
            maxTokens = 4,
            verdicts = true,
        };
        await foreach (var each in _server.StreamAsync(body))
        {
            events.Add(each);
        }

        var verdict = Assert.Single(events, each => each.Name == "verdict").Data;
        Assert.Equal("seen", VerdictOf(verdict, "cross"));
        Assert.True(
            events.FindIndex(each => each.Name == "verdict") > events.FindLastIndex(each => each.Name == "token")
        );
        Assert.Equal("done", events[^1].Name);
        Assert.Contains("calibrated on", events[^1].Data.GetProperty("calibration").GetString());
    }

    [Theory]
    [InlineData("{}", "evidence", false)]
    [InlineData("{\"method\":\"tam\"}", "tam", true)]
    [InlineData("{\"layer\":0,\"method\":\"joint\"}", "joint", false)]
    [InlineData("{\"applyFilter\":true,\"method\":\"evidence\"}", "evidence", true)]
    [InlineData("{\"eciStrength\":0.5}", "tam", true)]
    public async Task Explain_Options_ChooseTheMethodInPlaceOfTheCalibration(
        string options,
        string method,
        bool applyFilter
    )
    {
        using var answer = await _server.PostAsync(
            new
            {
                messages = new[] { Question },
                maxTokens = 2,
                options = JsonDocument.Parse(options).RootElement,
            }
        );
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        var used = json.RootElement.GetProperty("options");
        Assert.Equal(method, used.GetProperty("method").GetString());
        Assert.Equal(applyFilter, used.GetProperty("applyFilter").GetBoolean());
    }

    [Fact]
    public async Task Config_CalibratedModel_SaysSo()
    {
        using var config = JsonDocument.Parse(await _server.Client.GetStringAsync("/api/config"));

        Assert.Contains(
            "three made-up pictures",
            config.RootElement.GetProperty("model").GetProperty("calibration").GetString()
        );
    }

    private async Task<JsonDocument> AskAsync(object body)
    {
        using var answer = await _server.PostAsync(body, Path);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text);
    }

    private static string? VerdictOf(JsonElement verdict, string text) =>
        verdict
            .GetProperty("words")
            .EnumerateArray()
            .Single(word => word.GetProperty("text").GetString() == text)
            .GetProperty("verdict")
            .GetString();
}

/// <summary>The app before a server whose model is calibrated.</summary>
[Collection(OnePage.Name)]
public sealed class VerdictPageTests(Chromium browser, CalibratedServer calibrated) : IClassFixture<CalibratedServer>
{
    private readonly RunningServer _server = calibrated.Running;

    [Fact]
    public async Task Page_AskedForVerdicts_MarksWords_AlsoWhenOpenedAgain()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("Describe this image.");
        await page.Button("Given answer").ClickAsync();
        await page
            .Page.Locator("textarea[name=answer]")
            .FillAsync("An orange cross, a blue diamond and a purple circle.");
        await page.Page.Locator("button.tool", new() { HasText = "Options" }).ClickAsync();
        await page.Page.Locator("[name=verdicts]").SelectOptionAsync("on");
        await page.Button("Done").ClickAsync();
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        Assert.True((await page.AskedAsync()).GetProperty("verdicts").GetBoolean());
        await ExpectVerdictsAsync();
        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await ExpectVerdictsAsync();

        async Task ExpectVerdictsAsync()
        {
            await Assertions.Expect(page.Page.Locator(".verdict-unsupported[data-token]")).ToHaveTextAsync([" circle"]);
            await Assertions.Expect(page.Page.Locator(".verdict-seen[data-token]").First).ToBeVisibleAsync();
            await Assertions.Expect(page.Page.Locator(".support")).ToContainTextAsync("three made-up pictures");
        }
    }

    [Fact]
    public async Task Page_KindOfMap_IsAskedFor()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("Describe this image.");
        await page.Page.Locator("button.tool", new() { HasText = "Options" }).ClickAsync();
        await page.Page.Locator("[name=method]").SelectOptionAsync("lens");
        await page.Page.Locator("[name=layer]").FillAsync("0");
        await page.Page.Locator("[name=maxTokens]").FillAsync("3");
        await page.Button("Done").ClickAsync();
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        Assert.Equal("""{"method":"lens","layer":0}""", (await page.AskedAsync()).GetProperty("options").GetRawText());
        await Assertions.Expect(page.Page.Locator(".support")).ToBeVisibleAsync();
    }
}

/// <summary>One server with a calibrated copy of the demo model.</summary>
public sealed class CalibratedServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    internal RunningServer Running { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var options = RunningServer.Options.Model with { ModelPath = _folder.File("model.gguf") };
        File.Copy(RunningServer.Options.Model.ModelPath, options.ModelPath);
        using (var model = await VisionLanguageModel.LoadAsync(options))
        {
            Calibration(model.Facts).Save(model.Facts);
        }

        Running = await RunningServer.StartAsync(RunningServer.Options with { Model = options });
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Thresholds near those that <c>tamx calibrate</c> finds; a method that is not the best one.</summary>
    private static ModelCalibration Calibration(Llama.Gguf.ModelFacts facts) =>
        new()
        {
            ModelFile = "model.gguf",
            ModelBytes = facts.ByteCount,
            ParameterCount = facts.ParameterCount,
            Quantization = facts.Quantization,
            Method = MapMethod.Evidence,
            Layer = -1,
            ApplyEci = false,
            ApplyFilter = false,
            ObjIou = .68,
            Pointing = .99,
            WordCount = 6,
            Data = "three made-up pictures",
            PresenceLayer = 0,
            SeenGain = 3,
            UnsupportedOpposition = 5,
        };
}

/// <summary>A server whose model is not calibrated: numbers and no verdicts.</summary>
[Collection(OneServer.Name)]
public sealed class NumbersWithoutVerdictTests(SharedServer shared)
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Chat_NotCalibrated_HasNumbersAndNoVerdicts(int topLogprobs)
    {
        using var answer = await shared.Running.PostAsync(
            new
            {
                messages = new[] { RunningServer.Message("Describe this image.", RunningServer.Scene) },
                max_tokens = 4,
                logprobs = true,
                top_logprobs = topLogprobs,
                tamx = new { verdicts = true },
            },
            "/v1/chat/completions"
        );
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        var verdict = json.RootElement.GetProperty("tamx").GetProperty("verdict");
        Assert.Equal(JsonValueKind.Null, verdict.GetProperty("calibration").ValueKind);
        Assert.All(
            verdict.GetProperty("words").EnumerateArray(),
            word =>
            {
                Assert.Equal(JsonValueKind.Null, word.GetProperty("verdict").ValueKind);
                Assert.True(double.IsFinite(word.GetProperty("pictureGain").GetDouble()));
                Assert.Equal(JsonValueKind.Number, word.GetProperty("opposition").ValueKind);
            }
        );
        var tokens = json.RootElement.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.All(
            tokens.EnumerateArray(),
            token => Assert.Equal(topLogprobs, token.GetProperty("top_logprobs").GetArrayLength())
        );
    }
}
