using Tamx.Evaluation.Scenes;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation.Tests.Scenes;

/// <summary>The regions without which a noun is lost hold its object, and few runs find them.</summary>
public sealed class RegionSearchTests
{
    private const int Seed = 9001;

    [Theory]
    [InlineData("grounded", MapMethod.Tam)]
    [InlineData("aligned", MapMethod.Evidence)]
    public async Task RunAsync_NounsOfScenes_FindsTheirObjects(string name, MapMethod method)
    {
        using var model = await LoadAsync(name);
        using var engine = TamEngines.Create(EngineKind.Cpu);
        var (found, count, runs) = (0, 0, 0);
        for (var index = 0; index < 4; index++)
        {
            var scene = Scene.Generate(Seed, index);
            var explanation = await ExplainAsync(model, scene, method, engine);
            foreach (var word in scene.Questions[0].Words.Where(word => word.Kind == WordKind.Noun))
            {
                var at = explanation.Maps.Words.Index().First(one => one.Item.Word.Text == word.Text).Index;
                var search = await RegionSearch.RunAsync(model, Ask(scene), explanation.Maps, at);

                Assert.NotNull(search);
                Assert.InRange(search.RunCount, 2, RegionSearch.FullBudget);
                Assert.Equal(16, search.Regions.Count);
                Assert.True(search.Kept >= search.Whole / 2);
                count++;
                runs += search.RunCount;
                if (search.Loses is { } loses)
                {
                    Assert.True(search.Left < search.Whole / 2);
                    found += loses.Any(region => Holds(scene, word, search.Regions[region])) ? 1 : 0;
                }
            }
        }

        // One noun in ten may be lost elsewhere: where another object of the sentence stands.
        Assert.InRange(found, (int)Math.Ceiling(.9 * count), count);
        Assert.InRange(runs / count, 2, 100);
    }

    [Fact]
    public async Task RunAsync_WordOfLanguage_NeedsNoRegion()
    {
        using var model = await LoadAsync("grounded");
        using var engine = TamEngines.Create(EngineKind.Cpu);
        var scene = Scene.Generate(Seed, 0);
        var explanation = await ExplainAsync(model, scene, MapMethod.Tam, engine);
        var end = explanation.Maps.Words.Index().Last(word => word.Item.Word.Text == ".").Index;

        var search = await RegionSearch.RunAsync(model, Ask(scene), explanation.Maps, end);

        Assert.NotNull(search);
        Assert.Null(search.Loses);
        Assert.Empty(search.Keeps);
        Assert.Equal(2, search.RunCount);
        Assert.Contains("needs no region", search.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SmallBudget_IsKept()
    {
        using var model = await LoadAsync("grounded");
        using var engine = TamEngines.Create(EngineKind.Cpu);
        var scene = Scene.Generate(Seed, 1);
        var explanation = await ExplainAsync(model, scene, MapMethod.Tam, engine);
        var noun = scene.Questions[0].Words.First(word => word.Kind == WordKind.Noun).Text;
        var at = explanation.Maps.Words.Index().First(one => one.Item.Word.Text == noun).Index;

        var little = await RegionSearch.RunAsync(model, Ask(scene), explanation.Maps, at, budget: 1);
        var full = await RegionSearch.RunAsync(model, Ask(scene), explanation.Maps, at);

        Assert.InRange(little!.RunCount, 2, 4 * 16);
        Assert.True(little.RunCount <= full!.RunCount);
        Assert.True(full.Loses!.Count <= little.Loses!.Count);
    }

    /// <summary>Whether a region holds a part of an object that a word stands for.</summary>
    private static bool Holds(Scene scene, SceneWord word, RegionBox region) =>
        scene
            .Objects.Where(item => word.ObjectIds.Contains(item.Id))
            .Any(item =>
                Nearest(item.CenterX / scene.Size, region.Left, region.Right) <= item.Radius / scene.Size
                && Nearest(item.CenterY / scene.Size, region.Top, region.Bottom) <= item.Radius / scene.Size
            );

    private static double Nearest(double place, double from, double to) =>
        Math.Abs(place - Math.Clamp(place, from, to));

    private static ChatTurn[] Ask(Scene scene) =>
        [
            new(
                TurnRole.User,
                [
                    new ImagePart(PngPicture.Encode(scene.Rgb, scene.Size), "scene.png"),
                    new TextPart(scene.Questions[0].Prompt),
                ]
            ),
        ];

    private static Task<Explanation> ExplainAsync(
        VisionLanguageModel model,
        Scene scene,
        MapMethod method,
        ITamEngine engine
    ) =>
        Explainer.ExplainAsync(
            model,
            [.. Ask(scene), new ChatTurn(TurnRole.Assistant, scene.Questions[0].Answer)],
            new ExplainOptions { Tam = new TamOptions().WithMethod(method) },
            engine
        );

    private static Task<VisionLanguageModel> LoadAsync(string name) =>
        VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Path.Combine(AppContext.BaseDirectory, "models", $"tamx-demo-{name}-f16.gguf"),
                ProjectorPath = Path.Combine(AppContext.BaseDirectory, "models", $"mmproj-tamx-demo-{name}-f16.gguf"),
                ThreadCount = 1,
            }
        );
}
