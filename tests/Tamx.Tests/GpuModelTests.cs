using System.Collections.Concurrent;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>A model with all its layers on a GPU gives the maps that it gives on the processor.</summary>
public sealed class GpuModelTests
{
    /// <summary>GPUs compute in half precision what the processor computes in full. A bound that was chosen, on normalised maps: they may differ, not look different.</summary>
    private const double Tolerance = 2e-2;

    private static readonly ConcurrentBag<VisionLanguageModel> Kept = [];

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions { MaxNewTokens = 5, CandidateCount = 2, PreciseCache = true },
        Tam = new TamOptions { Engine = EngineKind.Reference },
    };

    [GpuTheory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen2.5vl")]
    public async Task ExplainAsync_AllLayersOnTheGpu_GivesTheProcessorsMaps(string name)
    {
        string gpu = LlamaRuntime.Devices.First(device => device.IsGpu).Name;
        var onProcessor = await LoadAsync(OptionsOf(name) with { Device = "none" });
        var onGpu = await LoadAsync(OptionsOf(name) with { Device = gpu, GpuLayerCount = -1, OffloadProjector = TestModels.OffloadProjector });
        ChatMessage[] messages =
        [
            new(ChatRole.User, [TestPictures.Gradient(128, 96), new TextPart("Look, and then see what moves."), VideoPart.FromFrames(TestVideos.Frames(4))]),
        ];

        var expected = await Explainer.ExplainAsync(onProcessor, messages, Options);
        int[] answer = [.. expected.Maps.Answer.Select(token => token.Token.TokenId)];
        var actual = await Explainer.ExplainAsync(onGpu, messages, Options with { AnswerIds = answer });

        // Rows that are the same bit for bit would be the processor's own.
        Assert.NotEqual(expected.Trace.HiddenStates.ToArray(), actual.Trace.HiddenStates.ToArray());
        Assert.Equal(expected.Trace.TokenIds, actual.Trace.TokenIds);
        Assert.True(answer.Length >= 3, "the answer is too short to compare anything");
        foreach (var (one, other) in expected.Maps.Answer.Zip(actual.Maps.Answer))
        {
            foreach (var (map, again) in one.Token.VisionMaps.Zip(other.Token.VisionMaps))
            {
                FloatAssert.Equal(map!, again!, Tolerance, $"position {one.Position}");
            }
        }
    }

    [Fact]
    public async Task LoadAsync_DeviceThatIsNotThere_SaysWhichAre()
    {
        var exception = await Assert.ThrowsAsync<NativeLibraryException>(() => VisionLanguageModel.LoadAsync(OptionsOf("qwen3vl") with { Device = "Vulkan99" }));

        Assert.Contains("no device Vulkan99 here; it has ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("CPU", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Loads a model for as long as the process runs: Mesa's software device has crashed after one was given back.</summary>
    private static async Task<VisionLanguageModel> LoadAsync(ModelOptions options)
    {
        var model = await VisionLanguageModel.LoadAsync(options);
        Kept.Add(model);
        return model;
    }

    private static ModelOptions OptionsOf(string name)
    {
        var files = TestModels.Get(name);
        return new ModelOptions { ModelPath = files.ModelPath, ProjectorPath = files.ProjectorPath, ThreadCount = 1 };
    }
}
