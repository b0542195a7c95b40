using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>A model among an application's services, with its options from configuration.</summary>
public sealed class ServicesTests
{
    private static readonly ModelFiles Files = TestModels.Qwen3Vl;

    private static Dictionary<string, string?> Valid =>
        new()
        {
            ["Tamx:Model:ModelPath"] = Files.ModelPath,
            ["Tamx:Model:ProjectorPath"] = Files.ProjectorPath,
            ["Tamx:Model:ThreadCount"] = "1",
        };

    [Fact]
    public void Options_FromConfiguration_HaveAllKindsOfValues()
    {
        using var host = BuildHost(
            new()
            {
                ["Tamx:Model:ModelPath"] = "m.gguf",
                ["Tamx:Model:GpuLayerCount"] = "-1",
                ["Tamx:Model:UseMemoryMap"] = "false",
                ["Tamx:Engine:Kind"] = "CPU",
                ["Tamx:Engine:MaxWorkingBytes"] = "1048576",
                ["Tamx:Explain:ExplainEndToken"] = "false",
                ["Tamx:Explain:AnswerIds:0"] = "7",
                ["Tamx:Explain:Completion:Temperature"] = "0.5",
                ["Tamx:Explain:Completion:Seed"] = "4294967295",
                ["Tamx:Explain:Completion:StopTexts:0"] = "\n",
                ["Tamx:Explain:Completion:LogitBias:12"] = "-100",
                ["Tamx:Explain:Tam:Profile"] = "tuned",
                ["Tamx:Explain:Tam:EciStrength"] = "0.25",
                ["Tamx:Explain:Tam:RepeatedWords"] = "ByText",
                ["Tamx:Explain:Tam:ConstantWindow"] = "Value",
            }
        );
        var options = host.Services.GetRequiredService<IOptions<TamxOptions>>().Value;
        Assert.Equal(
            new ModelOptions
            {
                ModelPath = "m.gguf",
                GpuLayerCount = -1,
                UseMemoryMap = false,
            },
            options.Model
        );
        Assert.Equal(new EngineOptions { Kind = EngineKind.Cpu, MaxWorkingBytes = 1 << 20 }, options.Engine);
        Assert.False(options.Explain.ExplainEndToken);
        Assert.Equal([7], options.Explain.AnswerIds);
        Assert.Equal(
            new TamOptions
            {
                Profile = TamProfile.Tuned,
                EciStrength = 0.25f,
                RepeatedWords = RepeatedWords.ByText,
                ConstantWindow = ConstantWindow.Value,
            },
            options.Explain.Tam
        );
        var completion = options.Explain.Completion;
        Assert.Equal((0.5f, uint.MaxValue), (completion.Temperature, completion.Seed));
        Assert.Equal(["\n"], completion.StopTexts);
        Assert.Equal(new Dictionary<int, float> { [12] = -100 }, completion.LogitBias);
        Assert.Equal(3, completion.CandidateCount);
    }

    [Theory]
    [InlineData("Tamx:Model:ModelPath", "", "Model.ModelPath is missing; it names the model's GGUF file")]
    [InlineData("Tamx:Model:ThreadCount", "0", "Model.ThreadCount is 0; it must be at least 1")]
    [InlineData("Tamx:Model:ThreadCount", "four", "'four' at 'Tamx:Model:ThreadCount'")]
    [InlineData("Tamx:Model:MaxImageTokens", "-1", "Model.MaxImageTokens is -1; it must be at least 0")]
    [InlineData("Tamx:Engine:ThreadCount", "-1", "Engine.ThreadCount")]
    [InlineData("Tamx:Explain:Completion:BatchSize", "1", "Explain.Completion.BatchSize is 1; it must be at least 2")]
    [InlineData("Tamx:Explain:Completion:RepeatPenalty", "0", "Explain.Completion.RepeatPenalty is 0; it must be more")]
    [InlineData("Tamx:Explain:Completion:LogitBias:7", "101", "Explain.Completion.LogitBias")]
    [InlineData("Tamx:Explain:Tam:KernelSize", "4", "Explain.Tam: kernel size 4: it must be 1, 3, 5, 7 or 9")]
    [InlineData("Tamx:Explain:Tam:Profile", "best", "'Tamx:Explain:Tam:Profile'")]
    public async Task Start_InvalidValue_FailsAndNamesItsPath(string key, string value, string message)
    {
        using var host = BuildHost(new(Valid) { [key] = value });
        var fault = await Assert.ThrowsAnyAsync<Exception>(() =>
            host.StartAsync(TestContext.Current.CancellationToken)
        );
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NoSection_SaysThatTheModelIsMissing()
    {
        using var host = BuildHost([]);
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            host.StartAsync(TestContext.Current.CancellationToken)
        );
        Assert.StartsWith("Model.ModelPath is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_OfAHost_ExplainAndAreDisposedWithIt()
    {
        VisionLanguageModel model;
        using (var host = BuildHost(new(Valid) { ["Tamx:Explain:Completion:MaxNewTokens"] = "2" }))
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            var services = host.Services;
            model = services.GetRequiredService<VisionLanguageModel>();
            Assert.Same(model, services.GetRequiredService<VisionLanguageModel>());
            Assert.Equal(1, model.Options.ThreadCount);
            var explanations = await Task.WhenAll(ExplainAsync(services), ExplainAsync(services));
            Assert.All(explanations, explanation => Assert.InRange(explanation.Maps.Answer.Count, 1, 2));
            var first = explanations.Select(explanation => explanation.Maps.Answer[0].Token.VisionMaps[0]!).ToList();
            Assert.Equal(first[0].Values.ToArray(), first[1].Values.ToArray());
        }

        Assert.Throws<ObjectDisposedException>(() => model.CreateCompletion([new ChatTurn(TurnRole.User, "Hello.")]));
    }

    [Fact]
    public async Task AddTamx_Names_AreKeysOfSeveralModels()
    {
        var services = new ServiceCollection();
        var options = new TamxOptions
        {
            Model = new ModelOptions { ModelPath = Files.ModelPath, ThreadCount = 1 },
            Explain = new ExplainOptions { ExplainEndToken = false },
        };
        services.AddTamx("text", options).AddTamx("other", options with { Explain = new() });
        await using var provider = services.BuildServiceProvider();
        var text = provider.GetRequiredKeyedService<VisionLanguageModel>("text");
        Assert.NotSame(text, provider.GetRequiredKeyedService<VisionLanguageModel>("other"));
        Assert.Same(options.Explain, provider.GetRequiredKeyedService<ExplainOptions>("text"));
        Assert.NotSame(options.Explain, provider.GetRequiredKeyedService<ExplainOptions>("other"));
        Assert.Null(provider.GetService<VisionLanguageModel>());
    }

    [Fact]
    public void AddTamx_OptionsThatCannotWork_AreRefusedAtOnce()
    {
        var options = new TamxOptions
        {
            Model = new ModelOptions { ModelPath = "m.gguf", MinImageTokens = -3 },
        };
        var fault = Assert.Throws<InvalidInputException>(() => new ServiceCollection().AddTamx(options));
        Assert.Equal("Model.MinImageTokens is -3; it must be at least 0", fault.Message);
    }

    private static Task<Explanation> ExplainAsync(IServiceProvider services) =>
        Explainer.ExplainAsync(
            services.GetRequiredService<VisionLanguageModel>(),
            [new ChatTurn(TurnRole.User, [TestPictures.Gradient(64, 64), new TextPart("What is this?")])],
            services.GetRequiredService<ExplainOptions>(),
            services.GetRequiredService<ITamEngine>()
        );

    private static IHost BuildHost(Dictionary<string, string?> configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Services.AddTamx().BindConfiguration("Tamx");
        return builder.Build();
    }
}
