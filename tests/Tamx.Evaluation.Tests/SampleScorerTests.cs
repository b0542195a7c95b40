namespace Tamx.Evaluation.Tests;

/// <summary>The way from an answer's tokens and maps to rows, with maps whose scores are known.</summary>
public sealed class SampleScorerTests
{
    private const int Size = 96;
    private const int Cells = 12;

    private static readonly PatchGrid Grid = new(1, Cells, Cells);

    // Two squares of 32 pixels, whole cells: a red circle (1) and a red star (2).
    private static readonly EvaluationSample Sample = new()
    {
        Name = "two squares",
        Picture = new Llama.Chat.ImagePart(Array.Empty<byte>(), "none"),
        Prompt = "What?",
        ExpectedAnswer = "A red circle above a red star.",
        Labels = new LabelMap(
            Size,
            Size,
            [.. Enumerable.Range(0, Size * Size).Select(i => LabelAt(i % Size, i / Size))]
        ),
        Words =
        [
            new("A", WordKind.Function, []),
            new("red", WordKind.Colour, [1, 2]),
            new("circle", WordKind.Noun, [1]),
            new("above", WordKind.Function, []),
            new("a", WordKind.Function, []),
            new("red", WordKind.Colour, [1, 2]),
            new("star", WordKind.Noun, [2]),
        ],
    };

    private static readonly string[] Tokens =
    [
        "A",
        " red",
        " circle",
        " above",
        " a",
        " red",
        " star",
        ".",
        "<|im_end|>",
    ];

    [Fact]
    public void Score_PerfectMaps_ReachTheCeiling()
    {
        float[] Perfect(params int[] labels) => Sample.Labels.MaskOf(labels).Coverage(Cells, Cells);
        float[][] maps =
        [
            Perfect(1, 2),
            Perfect(1, 2),
            Perfect(1),
            Perfect(1, 2),
            Perfect(1, 2),
            Perfect(1, 2),
            Perfect(2),
            Perfect(),
            Perfect(),
        ];
        var scorer = new SampleScorer(Sample, AnswerWord.Group(Tokens), Grid);

        WordRow[] rows = [.. scorer.Score(MapSource.LastLayer, MapKind.Raw, maps)];

        Assert.Equal(["A", "red", "circle", "above", "a", "red", "star"], rows.Select(row => row.Text));
        Assert.All(
            rows,
            row =>
                Assert.Equal(
                    (row.Ceiling, 1, 1, 1, false),
                    (row.ObjIou, row.GridIou, row.Pointing, row.Mass, row.IsEmpty)
                )
        );
        Assert.All(rows, row => Assert.InRange(row.Ceiling, 0.94, 1));
        Assert.Equal([2 / 9.0, 1 / 9.0], rows.Select(row => row.Area).Distinct());
    }

    [Fact]
    public void Score_UniformMaps_ScoreChance()
    {
        var uniform = Enumerable.Repeat(1f, Cells * Cells).ToArray();
        float[][] maps = [.. Tokens.Select(_ => uniform)];

        WordRow[] rows =
        [
            .. new SampleScorer(Sample, AnswerWord.Group(Tokens), Grid).Score(MapSource.LastLayer, MapKind.Raw, maps),
        ];

        Assert.All(rows, row => Assert.Equal(row.Area, row.ObjIou, 1e-12));
        Assert.All(rows, row => Assert.Equal(row.Area, row.GridIou, 1e-12));
        Assert.All(rows, row => Assert.Equal(row.Area, row.Pointing, 1e-12));
        Assert.All(rows, row => Assert.Equal(row.Area, row.Mass, 1e-12));
    }

    /// <summary>
    /// Nouns alone are scored, each against its own object; function words are "A", "above" and "a", whose empty maps
    /// lie below any threshold.
    /// </summary>
    [Fact]
    public void ScoreAsPaper_ExpectedWords_TakesNounsAsCategories()
    {
        var scorer = new SampleScorer(Sample, AnswerWord.Group(Tokens), Grid);
        var circle = Sample.Labels.MaskOf([1]).Coverage(Cells, Cells);
        float[][] maps = [.. Tokens.Select((_, i) => i is 2 or 6 ? circle : new float[Cells * Cells])];

        var figures = scorer.ScoreAsPaper(maps);

        Assert.Equal(2, figures.ObjIou.Count);
        Assert.InRange(figures.ObjIou[0], 0.94, 1);
        Assert.Equal(0, figures.ObjIou[1]);
        Assert.Equal([1, 1, 1], figures.FuncIou);
    }

    [Fact]
    public void AnswerMap_Nouns_AddsTheirMapsEachOverItsMaximum()
    {
        var scorer = new SampleScorer(Sample, AnswerWord.Group(Tokens), new PatchGrid(1, 1, 2));
        float[][] maps =
        [
            .. Tokens.Select(
                (_, i) =>
                    i switch
                    {
                        2 => new[] { 0.2f, 0.1f },
                        6 => [0, 0.7f],
                        _ => [9, 9],
                    }
            ),
        ];

        Assert.Equal([1, 1.5f], scorer.AnswerMap(maps));
    }

    [Fact]
    public void AnswerMap_NoNoun_AddsAllTokens()
    {
        var scorer = new SampleScorer(Sample, AnswerWord.Group(["Oh", " no"]), new PatchGrid(1, 1, 2));

        Assert.Equal(
            [2, 0.5f],
            scorer.AnswerMap([
                [2, 1],
                [3, 0],
            ])
        );
    }

    private static byte LabelAt(int x, int y) =>
        (x, y) switch
        {
            (>= 16 and < 48, >= 8 and < 40) => 1,
            (>= 40 and < 72, >= 48 and < 80) => 2,
            _ => 0,
        };
}
