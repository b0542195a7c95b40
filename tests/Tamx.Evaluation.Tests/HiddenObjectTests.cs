using System.Runtime.CompilerServices;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation.Tests;

/// <summary>Whether the demo model's nouns depend on their objects: a place is hidden, and the answer read again.</summary>
public class HiddenObjectTests
{
    // No checkpoint of the demo model was trained on scenes of this seed.
    private const int Seed = 20_000;
    private const int SceneCount = 24;

    [Fact]
    public async Task Hiding_TheNounsObject_TakesItsProbabilityAndAnEqualAreaElsewhereDoesNot()
    {
        using var model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Demo("tamx-demo-grounded-f16.gguf"),
                ProjectorPath = Demo("mmproj-tamx-demo-grounded-f16.gguf"),
                ThreadCount = 1,
            }
        );
        var (own, elsewhere, count) = (0, 0, 0);
        foreach (var sample in SceneSamples.Generate(Seed, SceneCount))
        {
            ChatTurn[] asked = [new(TurnRole.User, [sample.Picture, new TextPart(sample.Prompt)])];
            var given = new ChatTurn(TurnRole.Assistant, [new TextPart(sample.ExpectedAnswer!)]);
            var maps = (await Explainer.ExplainAsync(model, [.. asked, given])).Maps;
            var grid = maps.Layout.VisionBlocks[0].Grid;
            var places = Enumerable.Range(0, 256).Select(label => PlaceOf(sample.Labels, label, grid)).ToArray();
            foreach (var (index, word) in maps.Words.Index())
            {
                var noun = sample.Words!.FirstOrDefault(one =>
                    one.Kind == WordKind.Noun && one.Text == word.Word.Text.Trim() && one.Labels.Count == 1
                );
                var picture = MaskedPicture.Of(model, asked, maps, index);
                if (
                    noun is null
                    || picture is null
                    || places[noun.Labels[0]] is not { } place
                    || Elsewhere(place, places, grid) is not { } other
                    || await ProbabilityAsync(null) < 0.5
                )
                {
                    continue;
                }

                count++;
                own += await ProbabilityAsync(place) < 0.5 ? 1 : 0;
                elsewhere += await ProbabilityAsync(other) < 0.5 ? 1 : 0;

                async Task<double> ProbabilityAsync(Place? hidden)
                {
                    var cells = Enumerable
                        .Range(0, grid.CellCount)
                        .Where(cell => hidden?.Holds(cell / grid.Columns, cell % grid.Columns) == true);
                    return await picture.ProbabilityAsync(cells, default);
                }
            }
        }

        var found = $"of {count} nouns {own} fell with their object, {elsewhere} with another place";
        Assert.True(count >= 10 && own >= 0.95 * count && elsewhere <= 0.05 * count, found);
    }

    private static string Demo(string name, [CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "samples", "demo-model", name);

    /// <summary>The cells around all pixels of a label; null where there are none.</summary>
    private static Place? PlaceOf(LabelMap labels, int label, PatchGrid grid)
    {
        Place? place = null;
        for (var y = 0; y < labels.Height; y++)
        {
            var row = CellGeometry.CellOf(y, labels.Height, grid.Rows);
            for (var x = 0; x < labels.Width; x++)
            {
                if (label > 0 && labels.Labels[(y * labels.Width) + x] == label)
                {
                    var column = CellGeometry.CellOf(x, labels.Width, grid.Columns);
                    place = place is { } box
                        ? new Place(
                            Math.Min(box.Top, row),
                            Math.Min(box.Left, column),
                            Math.Max(box.Bottom, row),
                            Math.Max(box.Right, column)
                        )
                        : new Place(row, column, row, column);
                }
            }
        }

        return place;
    }

    /// <summary>A place of the same size that touches no object; null where there is none.</summary>
    private static Place? Elsewhere(Place place, IEnumerable<Place?> taken, PatchGrid grid)
    {
        var (height, width) = (place.Bottom - place.Top, place.Right - place.Left);
        for (var top = 0; top + height < grid.Rows; top++)
        {
            for (var left = 0; left + width < grid.Columns; left++)
            {
                var other = new Place(top, left, top + height, left + width);
                if (!taken.Any(one => one is { } box && box.Touches(other)))
                {
                    return other;
                }
            }
        }

        return null;
    }

    private readonly record struct Place(int Top, int Left, int Bottom, int Right)
    {
        public bool Holds(int row, int column) => row >= Top && row <= Bottom && column >= Left && column <= Right;

        public bool Touches(Place other) =>
            Top <= other.Bottom && other.Top <= Bottom && Left <= other.Right && other.Left <= Right;
    }
}
