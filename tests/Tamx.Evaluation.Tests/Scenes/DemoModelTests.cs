using System.Text.Json;
using Tamx.Evaluation.Scenes;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation.Tests.Scenes;

/// <summary>
/// llama.cpp runs the demo models as they were trained: it says and computes what PyTorch did (fixtures from
/// train/export.py).
/// </summary>
public sealed class DemoModelTests
{
    [Theory]
    [InlineData("grounded")]
    [InlineData("aligned")]
    public async Task GenerateAsync_HeldOutScenes_SaysAndComputesWhatTheTrainerDid(string name)
    {
        var folder = AppContext.BaseDirectory;
        using var model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Path.Combine(folder, "models", $"tamx-demo-{name}-f16.gguf"),
                ProjectorPath = Path.Combine(folder, "models", $"mmproj-tamx-demo-{name}-f16.gguf"),
                ThreadCount = 1,
            }
        );
        var json = await File.ReadAllTextAsync(Path.Combine(folder, "fixtures", $"tamx-demo-{name}.json"));
        var expected = JsonSerializer.Deserialize<Expectations>(json, JsonSerializerOptions.Web)!;
        Assert.True(expected.Cases.Count >= 12);
        Assert.Contains(expected.Cases, item => item.States is not null);
        foreach (var item in expected.Cases)
        {
            var scene = Scene.Generate(expected.Seed, item.Scene);
            ImagePart picture = new(PngPicture.Encode(scene.Rgb, scene.Size), "scene.png");
            using var completion = model.CreateCompletion(
                [new ChatTurn(TurnRole.User, [picture, new TextPart(item.Prompt)])],
                new CompletionOptions { MaxNewTokens = 40, PreciseCache = true }
            );
            var answer = "";
            await foreach (var token in completion.GenerateAsync())
            {
                answer += token.EndsAnswer ? "" : token.Text;
            }

            Assert.Equal(item.Answer, answer);
            for (var i = 0; i < (item.Positions?.Count ?? 0); i++)
            {
                var size = item.States![i].Length;
                var state = completion.HiddenStates.Slice(item.Positions![i] * size, size).ToArray();
                Assert.InRange(RelativeError(item.States[i], state), 0, 3e-3);
            }
        }
    }

    /// <summary>|a - b| / |a|.</summary>
    private static double RelativeError(float[] expected, float[] actual) =>
        Math.Sqrt(
            expected.Zip(actual).Sum(pair => Math.Pow(pair.First - pair.Second, 2))
                / expected.Sum(value => Math.Pow(value, 2))
        );

    private sealed record Expectations(int Seed, IReadOnlyList<Case> Cases);

    private sealed record Case(
        int Scene,
        string Prompt,
        string Answer,
        IReadOnlyList<int>? Positions,
        IReadOnlyList<float[]>? States
    );
}
