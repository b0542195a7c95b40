extern alias WebApp;

using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Playwright;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>The server as a part of an application of one's own: <c>samples/WebApp</c>, below /tamx.</summary>
[Collection(OnePage.Name)]
public sealed class HostedServerTests(Chromium browser, HostedServerTests.Sample sample)
    : IClassFixture<HostedServerTests.Sample>
{
    private static readonly Dictionary<string, string?> Settings = new()
    {
        ["Tamx:Model:ModelPath"] = RunningServer.Options.Model.ModelPath,
        ["Tamx:Model:ProjectorPath"] = RunningServer.Options.Model.ProjectorPath,
        ["Tamx:Model:ThreadCount"] = "1",
        ["Tamx:AllowedHosts:0"] = "tamx.example.org",
    };

    private readonly HttpClient _client = sample.Client;

    [Fact]
    public async Task Page_BelowAPath_AsksAndOpensWhatWasAsked()
    {
        var address = new Uri(_client.BaseAddress!, "tamx/");
        await using var page = await OpenPage.StartAsync(browser, address);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("Describe this image.");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".answer .turn-text")).ToContainTextAsync("An orange cross");
        Assert.StartsWith($"{address}?run=", page.Page.Url, StringComparison.Ordinal);

        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".answer .turn-text")).ToContainTextAsync("An orange cross");
        var (_, report) = await page.DownloadAsync("Report (HTML)");
        Assert.NotEmpty(report);
    }

    [Fact]
    public async Task Api_BelowAPath_ExplainsAndListsItsRunsThere()
    {
        using var answer = await _client.PostAsync(
            "tamx/api/explain",
            RunningServer.JsonOf(RunningServer.Question(RunningServer.Scene, maxTokens: 2))
        );
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        Assert.Equal("tamx-maps/1", JsonDocument.Parse(body).RootElement.GetProperty("format").GetString());
        var run = answer.Headers.GetValues("Tamx-Run").Single();

        using var runs = JsonDocument.Parse(await _client.GetStringAsync("tamx/api/runs"));
        var files = runs
            .RootElement.EnumerateArray()
            .Single(one => one.GetProperty("run").GetString() == run)
            .GetProperty("files")
            .EnumerateArray()
            .Select(file => file.GetString()!)
            .ToList();
        Assert.Equal(3, files.Count);
        foreach (var file in files)
        {
            Assert.StartsWith($"/tamx/api/runs/{run}/", file, StringComparison.Ordinal);
            using var sent = await _client.GetAsync(file);
            Assert.True(sent.IsSuccessStatusCode, file);
        }

        Assert.Contains(
            "tamx_http_requests_total{route=\"/api/explain\",status=\"200\"}",
            await _client.GetStringAsync("tamx/metrics"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task OpenAiClient_BelowAPath_IsAnswered()
    {
        using var answer = await _client.PostAsync(
            "tamx/v1/chat/completions",
            RunningServer.JsonOf(new { messages = new[] { new { role = "user", content = "Hello." } }, max_tokens = 1 })
        );
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        Assert.Contains("chat.completion", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Address_WithoutItsSlash_LeadsToThePage()
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = _client.BaseAddress };
        using var answer = await client.GetAsync("tamx?run=1");
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/tamx/?run=1", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task Application_OutsideThePath_IsItsOwn()
    {
        using var own = await _client.GetAsync("/");
        Assert.Contains("My application", await own.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(own.Headers.Contains("Content-Security-Policy"));
        foreach (var path in new[] { "/health", "/api/runs", "/tamxx", "/assets/app.js" })
        {
            using var nothing = await _client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
            Assert.Equal("", await nothing.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Addresses_BelowThePath_HaveTheirErrorsAndHeaders()
    {
        await RunningServer.AssertErrorAsync(await _client.GetAsync("/tamx/nothing"), 404, "no_such_page");
        await RunningServer.AssertErrorAsync(await _client.GetAsync("/tamx/api/nothing"), 404, "no_such_page");
        await RunningServer.AssertErrorAsync(await _client.GetAsync("/tamx/api/explain"), 405, "wrong_method");
        await RunningServer.AssertErrorAsync(await _client.DeleteAsync("/tamx/"), 405, "wrong_method");
        using var health = await _client.GetAsync("/TAMX/health");
        Assert.True(health.IsSuccessStatusCode);
        Assert.True(health.Headers.Contains("Content-Security-Policy"));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("tamx.example.org", true)]
    [InlineData("evil.example", false)]
    public async Task Host_OfARequest_IsOneThatIsAllowed(string host, bool isAllowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/tamx/health");
        request.Headers.Host = host;
        using var answer = await _client.SendAsync(request);
        Assert.Equal(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    /// <summary>In the test host, behind the application's own checks, below a base that a proxy takes off.</summary>
    [Fact]
    public async Task MapTamx_WithAuthorizationAndAPathBase_IsBehindThem()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddAuthentication().AddBearerToken();
        builder.Services.AddAuthorization();
        builder.Services.AddTamxServer(RunningServer.Options with { AllowedHosts = ["*"] });
        await using var app = builder.Build();
        app.UsePathBase("/base");
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapTamx("/open");
        app.MapTamx("/a/b").RequireAuthorization();
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var client = app.GetTestClient();
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/a/b/api/runs")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/a/b/nothing")).StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/base/open/api/explain")
        {
            Content = RunningServer.JsonOf(RunningServer.Question(RunningServer.Scene, maxTokens: 1)),
        };
        request.Headers.Host = "whatever.example";
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("\"/base/open/api/runs/", await client.GetStringAsync("/base/open/api/runs"));
    }

    [Theory]
    [InlineData("Tamx:Model:ModelPath", "", "Model.ModelPath is missing")]
    [InlineData("Tamx:Model:ModelPath", "/nowhere/m.gguf", "/nowhere/m.gguf")]
    [InlineData("Tamx:Limits:MaxPictures", "0", "Limits.MaxPictures is 0")]
    [InlineData("Tamx:QueueLength", "-1", "QueueLength -1: it must be at least 0")]
    [InlineData("Tamx:QueueLength", "many", "'Tamx:QueueLength'")]
    [InlineData("Tamx:LongestSilence", "00:00:00", "a longest silence of 00:00:00")]
    [InlineData("Tamx:AllowedOrigins:0", "app.example.org", "AllowedOrigins app.example.org")]
    public async Task Start_InvalidSetting_FailsAndNamesIt(string key, string value, string message)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(Settings) { [key] = value });
        builder.Services.AddTamxServer().BindConfiguration("Tamx");
        await using var app = builder.Build();
        var fault = await Assert.ThrowsAnyAsync<Exception>(() =>
        {
            app.MapTamx();
            return app.StartAsync(TestContext.Current.CancellationToken);
        });
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_FromConfiguration_HaveAllKindsOfValues()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>(Settings)
                {
                    ["Tamx:LongestSilence"] = "00:00:02.5",
                    ["Tamx:ApiKey"] = "correct-horse",
                    ["Tamx:WorkerCommand:0"] = "worker",
                    ["Tamx:Limits:MaxRunBytes"] = "5000000000",
                    ["Tamx:Limits:MaxSeconds"] = "0.5",
                }
            )
            .Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddTamxServer().BindConfiguration("Tamx");
        using var provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptions<ServerOptions>>().Value;
        Assert.Equal(RunningServer.Options.Model, options.Model);
        Assert.Equal(TimeSpan.FromSeconds(2.5), options.LongestSilence);
        Assert.Equal(["tamx.example.org"], options.AllowedHosts);
        Assert.Equal(["worker"], options.WorkerCommand);
        Assert.Equal(new RequestLimits { MaxRunBytes = 5_000_000_000, MaxSeconds = 0.5 }, options.Limits);
    }

    [Theory]
    [InlineData("tamx")]
    [InlineData("/tamx/")]
    [InlineData("/")]
    [InlineData("/{tenant}")]
    public void MapTamx_NoPlainPath_IsRefused(string prefix)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddTamxServer(RunningServer.Options);
        var app = builder.Build();
        Assert.Throws<ArgumentException>(() => app.MapTamx(prefix));
    }

    [Fact]
    public void MapTamx_WithoutTheServices_SaysWhatIsMissing()
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        var fault = Assert.Throws<InvalidOperationException>(() => app.MapTamx());
        Assert.Contains("AddTamxServer", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>The sample's program as it is, listening on loopback.</summary>
    public sealed class Sample : IDisposable
    {
        private readonly Application _application = new();

        public Sample()
        {
            _application.UseKestrel(0);
            _application.StartServer();
            Client = _application.CreateClient();
            Client.Timeout = TimeSpan.FromSeconds(60);
        }

        public HttpClient Client { get; }

        public void Dispose()
        {
            Client.Dispose();
            _application.Dispose();
        }

        private sealed class Application : WebApplicationFactory<WebApp::Program>
        {
            protected override void ConfigureWebHost(IWebHostBuilder builder)
            {
                builder.UseContentRoot(AppContext.BaseDirectory);
                foreach (var (key, value) in Settings)
                {
                    builder.UseSetting(key, value);
                }
            }
        }
    }
}
