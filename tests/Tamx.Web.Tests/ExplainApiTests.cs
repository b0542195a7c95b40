using System.Net;
using System.Text.Json;
using Tamx.Llama.Chat;

namespace Tamx.Web.Tests;

[Collection(OneServer.Name)]
public sealed class ExplainApiTests(SharedServer shared)
{
    private readonly RunningServer _server = shared.Running;

    [Fact]
    public async Task Explain_AsEvents_TellsOfTheRunItsPhasesAndEachToken()
    {
        var events = new List<(string Name, JsonElement Data)>();
        await foreach (var each in _server.StreamAsync(RunningServer.Question(RunningServer.Scene)))
        {
            events.Add(each);
        }

        Assert.Equal("run", events[0].Name);
        var id = events[0].Data.GetProperty("run").GetString();
        string[] phases =
        [
            .. events
                .Where(each => each.Name == "progress")
                .Select(each => each.Data.GetProperty("phase").GetString()!)
                .Distinct()
                .Order(),
        ];
        Assert.Equal(["generate", "image", "prefill", "report"], phases);
        var tokens = events.Where(each => each.Name == "token").Select(each => each.Data).ToList();
        Assert.Equal([0, 1, 2, 3], tokens.Select(token => token.GetProperty("index").GetInt32()));
        var (name, done) = events[^1];
        Assert.Equal("done", name);
        Assert.Equal(id, done.GetProperty("run").GetString());
        Assert.Equal(
            done.GetProperty("answer").GetString(),
            string.Concat(tokens.Select(token => token.GetProperty("text").GetString()))
        );
    }

    [Fact]
    public async Task Explain_AsDocument_EqualsWhatTheLibraryGives()
    {
        using var response = await _server.PostAsync(RunningServer.Question(RunningServer.Scene));
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        using var model = await Llama.VisionLanguageModel.LoadAsync(RunningServer.Options.Model);
        ChatPart[] parts = [new ImagePart(RunningServer.Scene, "scene"), new TextPart("Describe this image.")];
        var explanation = await Explainer.ExplainAsync(
            model,
            [new ChatTurn(TurnRole.User, parts)],
            new ExplainOptions
            {
                Completion = new() { MaxNewTokens = 4, CandidateCount = 3 },
            }
        );
        var answer = json.RootElement.GetProperty("answer");
        Assert.Equal(explanation.Maps.Answer.Count, answer.GetArrayLength());
        for (var i = 0; i < explanation.Maps.Answer.Count; i++)
        {
            var token = answer[i].GetProperty("token");
            Assert.Equal(explanation.Maps.Answer[i].Token.TokenId, token.GetProperty("id").GetInt32());
            float[] map = [.. token.GetProperty("maps")[0].EnumerateArray().Select(value => value.GetSingle())];

            // Token by token the engine sums in another order: 1e-5 is its stated tolerance.
            Testing.FloatAssert.Equal(explanation.Maps.Answer[i].Token.VisionMaps[0]!.Values.Span, map, 1e-5);
        }
    }

    [Theory]
    [InlineData("hide")]
    [InlineData("keep")]
    [InlineData("lookAt")]
    public async Task Explain_Region_IsKeptWithTheRunAndItsChangesAreTold(string use)
    {
        // The cross lies in the picture's upper left part.
        var request = new
        {
            messages = new[] { RunningServer.Message("Describe this image.", RunningServer.Scene) },
            answer = "An orange cross, a blue diamond and a purple heart.",
            region = new { use, box = new[] { 0, 0, 0.5, 0.5 } },
        };
        JsonElement done = default;
        await foreach (var (name, data) in _server.StreamAsync(request))
        {
            done = name == "done" ? data : done;
        }

        float[] changes = [.. done.GetProperty("regionChanges").EnumerateArray().Select(one => one.GetSingle())];
        var run = done.GetProperty("run").GetString();
        using var maps = JsonDocument.Parse(await _server.Client.GetStringAsync($"/api/runs/{run}/maps.json"));
        var region = maps.RootElement.GetProperty("region");
        Assert.Equal(use, region.GetProperty("use").GetString());
        Assert.Equal([0, 0, 0.5, 0.5], region.GetProperty("box").EnumerateArray().Select(edge => edge.GetDouble()));
        Assert.Equal(changes, region.GetProperty("changes").EnumerateArray().Select(one => one.GetSingle()));
        var words = maps.RootElement.GetProperty("words").EnumerateArray().ToList();
        var cross = words.First(word => word.GetProperty("text").GetString() == "cross");
        var heart = words.First(word => word.GetProperty("text").GetString() == "heart");
        Assert.Equal(
            cross.GetProperty("tokens").EnumerateArray().Sum(token => changes[token.GetInt32()]),
            cross.GetProperty("regionChange").GetDouble(),
            1e-5
        );
        if (use == "hide")
        {
            Assert.True(cross.GetProperty("regionChange").GetDouble() < -1);
        }
        else if (use == "keep")
        {
            Assert.True(heart.GetProperty("regionChange").GetDouble() < -1);
        }

        var report = await _server.Client.GetStringAsync($"/api/runs/{run}/report.html");
        Assert.Contains("report-data", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_GivenAnswerAsUpload_ExplainsIt()
    {
        using var form = new MultipartFormDataContent
        {
            {
                new StringContent(
                    JsonSerializer.Serialize(
                        new
                        {
                            messages = new[]
                            {
                                new
                                {
                                    role = "user",
                                    content = new object[]
                                    {
                                        new { type = "image_url", image_url = new { url = "upload:photo" } },
                                        new { type = "text", text = "What is it?" },
                                    },
                                },
                            },
                            answer = "An orange cross",
                            options = new { profile = "tuned", eciStrength = 0.5 },
                        }
                    )
                ),
                "request"
            },
            { new ByteArrayContent(RunningServer.Scene), "photo", "../../<img src=x>.jpg" },
        };
        using var response = await _server.Client.PostAsync("/api/explain", form);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(0.5f, json.RootElement.GetProperty("options").GetProperty("eciStrength").GetSingle());
        Assert.Equal(
            "An orange cross",
            string.Concat(
                json.RootElement.GetProperty("answer")
                    .EnumerateArray()
                    .Select(step => step.GetProperty("token").GetProperty("text").GetString())
            )
        );
        Assert.Single(response.Headers.GetValues("Tamx-Run"));
    }

    [Fact]
    public async Task Runs_AfterAnAnswer_HaveItsFilesUntilDeleted()
    {
        using var response = await _server.PostAsync(RunningServer.Question(RunningServer.Scene, maxTokens: 1));
        var id = response.Headers.GetValues("Tamx-Run").Single();
        using var runs = JsonDocument.Parse(await _server.Client.GetStringAsync("/api/runs"));
        Assert.Equal(id, runs.RootElement[0].GetProperty("run").GetString());
        Assert.Equal("done", runs.RootElement[0].GetProperty("state").GetString());

        using var report = await _server.Client.GetAsync($"/api/runs/{id}/report.html");
        Assert.Contains("<title>", await report.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith(
            "sandbox allow-scripts",
            report.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        Assert.Equal(
            await response.Content.ReadAsStringAsync(),
            await _server.Client.GetStringAsync($"/api/runs/{id}/maps.json")
        );
        Assert.NotEmpty(await _server.Client.GetByteArrayAsync($"/api/runs/{id}/trace.safetensors"));

        Assert.Equal(HttpStatusCode.NoContent, (await _server.Client.DeleteAsync($"/api/runs/{id}")).StatusCode);
        await RunningServer.AssertErrorAsync(
            await _server.Client.GetAsync($"/api/runs/{id}/report.html"),
            404,
            "no_such_run"
        );
        Assert.False(Directory.Exists(Path.Combine(_server.Server.FolderPath, "runs", id)));
    }

    [Fact]
    public async Task Page_FromTheAssembly_IsServedWithItsPolicy()
    {
        using var page = await _server.Client.GetAsync("/");
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains(
            "script-src 'self'",
            page.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        Assert.False(page.Headers.Contains("Access-Control-Allow-Origin"));
        using var module = await _server.Client.GetAsync("/assets/report/mount.js");
        Assert.Equal("text/javascript", module.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Config_OfTheDemoModel_SaysWhatThePageMustKnow()
    {
        using var config = JsonDocument.Parse(await _server.Client.GetStringAsync("/api/config"));
        Assert.False(config.RootElement.GetProperty("keyNeeded").GetBoolean());
        Assert.Equal("tamx-demo-grounded", config.RootElement.GetProperty("model").GetProperty("name").GetString());
        Assert.Equal(8, config.RootElement.GetProperty("limits").GetProperty("maxPictures").GetInt32());
        Assert.Equal(
            "tamx",
            config.RootElement.GetProperty("defaults").GetProperty("options").GetProperty("profile").GetString()
        );
    }
}
