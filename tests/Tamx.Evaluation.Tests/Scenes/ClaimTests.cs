using System.Globalization;
using Tamx.Evaluation.Scenes;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation.Tests.Scenes;

/// <summary>Right boxes of scenes against the same boxes shifted by their own width.</summary>
/// <remarks>
/// The demo models were not trained to write boxes, so the answer is given: the caption, then its nouns with boxes.
/// docs/claims.md has the figures for more scenes.
/// </remarks>
public sealed class ClaimTests
{
    private const int Seed = 9001;
    private const int SceneCount = 20;

    [Theory]
    [InlineData("grounded", -1)]
    [InlineData("aligned", 0)]
    public async Task Claims_RightAndShiftedBoxes_AreToldApart(string name, int layer)
    {
        using var model = await LoadAsync(name);
        using var engine = TamEngines.Create(EngineKind.Cpu);
        var options = new ExplainOptions { Tam = new TamOptions { Layer = layer } };
        List<RegionScore> right = [];
        List<RegionScore> shifted = [];
        for (var index = 0; index < SceneCount; index++)
        {
            var scene = Scene.Generate(Seed, index);
            var question = scene.Questions[0];
            var nouns = question
                .Words.Where(word => word.Kind == WordKind.Noun)
                .Select(word => (word.Text, Boxes: BoxesOf(scene, word.ObjectIds[0])))
                .Where(noun => noun.Boxes.Shifted is not null)
                .ToArray();
            foreach (var (isRight, scores) in new[] { (true, right), (false, shifted) })
            {
                var boxes = nouns.Select(noun =>
                    $$"""{"bbox_2d": {{Shown(isRight ? noun.Boxes.Right : noun.Boxes.Shifted!.Value)}}, "label": " {{noun.Text}}"}"""
                );
                var explanation = await Explainer.ExplainAsync(
                    model,
                    [Ask(scene), Say($"{question.Answer}\n[{string.Join(", ", boxes)}]")],
                    options,
                    engine
                );
                var claims = explanation.Maps.Claims;
                Assert.Equal(nouns.Select(noun => " " + noun.Text), claims.Select(claim => claim.Region.Label));
                scores.AddRange(claims.Select(claim => claim.Score));
            }
        }

        AssertToldApart(right, shifted);
    }

    [Theory]
    [InlineData("grounded")]
    [InlineData("aligned")]
    public async Task RegionScore_EvidenceOfWords_TellsBoxesApart(string name)
    {
        using var model = await LoadAsync(name);
        using var engine = TamEngines.Create(EngineKind.Cpu);
        var options = new ExplainOptions { Tam = new TamOptions { Method = MapMethod.Evidence } };
        List<RegionScore> right = [];
        List<RegionScore> shifted = [];
        for (var index = 0; index < SceneCount; index++)
        {
            var scene = Scene.Generate(Seed, index);
            var question = scene.Questions[0];
            var maps = (await Explainer.ExplainAsync(model, [Ask(scene), Say(question.Answer)], options, engine)).Maps;

            // A word that stands for several objects may take its evidence from any of them.
            foreach (var noun in question.Words.Where(word => word is { Kind: WordKind.Noun, ObjectIds.Count: 1 }))
            {
                var word = Assert.Single(maps.Words, word => word.Word.Text == noun.Text);
                var boxes = BoxesOf(scene, noun.ObjectIds[0]);
                if (boxes.Shifted is { } wrong)
                {
                    right.Add(RegionScore.Of(word.VisionMaps[0]!, boxes.Right));
                    shifted.Add(RegionScore.Of(word.VisionMaps[0]!, wrong));
                }
            }
        }

        AssertToldApart(right, shifted);
    }

    /// <summary>The area under the ROC curve is .99 or more in all of these; the verdicts follow it.</summary>
    private static void AssertToldApart(List<RegionScore> right, List<RegionScore> shifted)
    {
        Assert.True(right.Count > SceneCount / 2, $"only {right.Count} boxes");
        var area = right.Average(one => shifted.Average(other => Contrast(one).CompareTo(Contrast(other)) / 2.0 + 0.5));
        Assert.InRange(area, 0.95, 1);
        Assert.InRange(right.Average(one => one.Place == EvidencePlace.Inside ? 1.0 : 0), 0.9, 1);
        Assert.InRange(shifted.Average(one => one.Place == EvidencePlace.Elsewhere ? 1.0 : 0), 0.75, 1);

        static double Contrast(RegionScore score) => score.Mass * (1 - score.Area) / ((1 - score.Mass) * score.Area);
    }

    private static async Task<VisionLanguageModel> LoadAsync(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "models");
        return await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Path.Combine(folder, $"tamx-demo-{name}-f16.gguf"),
                ProjectorPath = Path.Combine(folder, $"mmproj-tamx-demo-{name}-f16.gguf"),
                ThreadCount = 1,
            }
        );
    }

    private static ChatTurn Ask(Scene scene) =>
        new(
            TurnRole.User,
            [
                new ImagePart(PngPicture.Encode(scene.Rgb, scene.Size), "scene.png"),
                new TextPart(scene.Questions[0].Prompt),
            ]
        );

    private static ChatTurn Say(string answer) => new(TurnRole.Assistant, [new TextPart(answer)]);

    /// <summary>An object's box, and the one beside it: to its right where there is room, else to its left.</summary>
    private static (RegionBox Right, RegionBox? Shifted) BoxesOf(Scene scene, int id)
    {
        var (left, top, right, bottom) = scene.BoundsOf(id);
        double size = scene.Size;
        var box = new RegionBox(left / size, top / size, right / size, bottom / size);
        var width = box.Right - box.Left;
        return (
            box,
            box.Right + width <= 1 ? box with { Left = box.Right, Right = box.Right + width }
            : box.Left - width >= 0 ? box with { Left = box.Left - width, Right = box.Left }
            : null
        );
    }

    private static string Shown(RegionBox box) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"[{1000 * box.Left:0}, {1000 * box.Top:0}, {1000 * box.Right:0}, {1000 * box.Bottom:0}]"
        );
}
