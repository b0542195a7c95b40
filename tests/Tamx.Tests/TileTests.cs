using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Pictures that are cut into tiles: one map of all tiles, and one of the whole picture.</summary>
public sealed class TileTests
{
    private const int Columns = 15;
    private const int Rows = 10;

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions
        {
            MaxNewTokens = 4,
            CandidateCount = 2,
            PreciseCache = true,
        },
        CaptureEvidence = true,
    };

    private static readonly ReferenceEngine Engine = new();

    [Theory]
    [InlineData("internvl3")]
    [InlineData("internvl3.5")]
    public async Task ExplainAsync_TiledPicture_IsTwoBlocksOfThePicture(string name)
    {
        var model = LoadedModels.Get(name);
        ChatTurn[] messages =
        [
            new(
                TurnRole.User,
                [
                    TestPictures.Gradient(420, 280, "wide.png"),
                    new TextPart("Look."),
                    TestPictures.Gradient(100, 100, "small.png"),
                    TestPictures.Gradient(140, 420, "high.png"),
                    new TextPart("What?"),
                ]
            ),
        ];
        var explanation = await Explainer.ExplainAsync(model, messages, Options, Engine);

        var layout = explanation.Maps.Layout;
        PatchGrid whole = new(1, 5, 5);
        Assert.Equal(
            [new(1, Rows, Columns), whole, whole, new(1, 15, 5), whole],
            layout.VisionBlocks.Select(block => block.Grid)
        );
        Assert.Equal(
            ["wide.png", "wide.png as one tile", "small.png", "high.png", "high.png as one tile"],
            explanation.Trace.Pictures.Select(picture => picture.Name)
        );
        Assert.Equal(Enumerable.Range(0, 5), explanation.Trace.Pictures.Select(picture => picture.BlockIndex));
        Assert.All(layout.VisionBlocks, block => Assert.Equal(layout.Turns.Count - 2, block.TurnIndex));

        // The text of the turn is what stands outside the markers.
        var text = layout.ContextPositions.Select(position =>
            explanation.Trace.FindText(explanation.Trace.TokenIds[position])
        );
        Assert.EndsWith("\nLook.\n\nWhat?", string.Concat(text), StringComparison.Ordinal);
        foreach (var method in (MapMethod[])[MapMethod.Tam, MapMethod.Evidence])
        {
            var maps = ActivationMaps.Compute(explanation.Trace, new TamOptions { Method = method });
            Assert.All(
                maps.Answer,
                token =>
                    Assert.Equal(
                        layout.VisionBlocks.Select(block => block.CellCount),
                        token.Token.VisionMaps.Select(map => map!.Values.Length)
                    )
            );
        }
    }

    /// <summary>The picture's rows run across its tiles: another cell's pixels change that cell's state most.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 4)]
    [InlineData(4, 5)]
    [InlineData(5, 4)]
    [InlineData(3, 11)]
    [InlineData(9, 2)]
    [InlineData(9, 14)]
    public async Task ExplainAsync_OneCellOther_ItsStateChangesMost(int row, int column)
    {
        var plain = await StatesOf(-1, -1);
        var changed = await StatesOf(row, column);

        double[] distances = [.. plain.Zip(changed, Distance)];
        Assert.Equal((row * Columns) + column, Array.IndexOf(distances, distances.Max()));
    }

    [Fact]
    public void Apply_TwoTiles_ReadsRowsAcrossThem()
    {
        PromptPicture picture = new()
        {
            Name = "a.png",
            MediaType = "image/png",
            Width = 4,
            Height = 2,
            BlockIndex = 0,
            FrameIndex = 0,
            FirstPosition = 1,
            Columns = 4,
            Rows = 2,
            TileColumns = 2,
        };
        var order = CellOrder.Of([picture with { TileColumns = 1 }, picture])!;
        float[] rows = [.. Enumerable.Range(0, 20).Select(value => (float)value)];

        // Positions 0 to 9 of two values each; the cells are at 1 to 8.
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 6, 7, 8, 9, 14, 15, 16, 17, 18, 19],
            order.Apply(rows, 2).ToArray()
        );
        Assert.Null(CellOrder.Of([picture with { TileColumns = 1 }]));
        var step = order.Apply(
            new EvidenceStep
            {
                TokenIds = [5, 6],
                Scores = rows,
                Rest = [0, 0],
                Logits = [0, 0],
            }
        );
        Assert.Equal([0, 1, 2, 5, 6, 3, 4, 7, 8, 9], step.ScoresOf(0).ToArray());
        Assert.Equal([10, 11, 12, 15, 16, 13, 14, 17, 18, 19], step.ScoresOf(1).ToArray());
    }

    /// <summary>LLaVA's first cell shows the second patch; the last, which is no place, goes to the first.</summary>
    [Fact]
    public async Task ExplainAsync_CellsOnePlaceAhead_RowsAreThePictures()
    {
        var model = LoadedModels.Get("llava");
        ChatTurn[] messages =
        [
            new(
                TurnRole.User,
                [TestPictures.Gradient(90, 70), new TextPart("What is it?"), TestPictures.Gradient(70, 90)]
            ),
        ];
        var explanation = await Explainer.ExplainAsync(model, messages, Options, Engine);
        using var completion = model.CreateCompletion(messages, Options.Completion);
        await foreach (var _ in completion.GenerateAsync()) { }

        var size = model.Facts.HiddenSize;
        float[] Row(ReadOnlyMemory<float> rows, int position) => rows.Slice(position * size, size).ToArray();
        Assert.Equal(2, completion.Pictures.Count);
        for (var position = 0; position < completion.PromptTokenCount; position++)
        {
            var cell = completion
                .Pictures.Select(picture => position - picture.FirstPosition)
                .FirstOrDefault(cell => cell is >= 0 and < 25, -1);
            var source = cell < 0 ? position : position - cell + ((cell + 24) % 25);
            Assert.Equal(Row(completion.HiddenStates, source), Row(explanation.Trace.HiddenStates, position));
        }
    }

    /// <summary>A block's index is not a picture's: the second picture's word is checked on the second picture.</summary>
    [Fact]
    public async Task CheckAsync_PictureAfterATiledOne_GreysThatPicture()
    {
        var model = LoadedModels.Get("internvl3");
        ChatTurn[] messages =
        [
            new(
                TurnRole.User,
                [TestPictures.Gradient(420, 280), TestPictures.Gradient(100, 100), new TextPart("What?")]
            ),
        ];
        var explanation = await Explainer.ExplainAsync(model, messages, Options, Engine);
        var word = explanation.Maps.Words.Index().First(one => one.Item.Word.TokenIndices.Count > 0).Index;

        var picture = MaskedPicture.Of(model, messages, explanation.Maps, word)!;
        Assert.Equal(25, picture.Map.Grid.CellCount);
        Assert.InRange(await picture.ProbabilityAsync([0, 24], CancellationToken.None), 0, 1);

        ChatTurn[] tiledLast =
        [
            messages[0] with
            {
                Parts = [.. messages[0].Parts.Take(2).Reverse(), messages[0].Parts[2]],
            },
        ];
        explanation = await Explainer.ExplainAsync(model, tiledLast, Options, Engine);
        picture = MaskedPicture.Of(model, tiledLast, explanation.Maps, 0)!;
        Assert.Equal(Columns * Rows, picture.Map.Grid.CellCount);
        Assert.InRange(await picture.ProbabilityAsync([0, 149], CancellationToken.None), 0, 1);
    }

    [Fact]
    public async Task Save_TiledPicture_IsReadAgain()
    {
        var explanation = await Explainer.ExplainAsync(
            LoadedModels.Get("internvl3"),
            [new(TurnRole.User, [TestPictures.Gradient(420, 280), new TextPart("What?")])],
            Options,
            Engine
        );
        using var folder = new TemporaryFolder();
        var path = folder.File("trace.safetensors");
        TraceFile.Save(explanation.Trace, path);

        var maps = ActivationMaps.Compute(TraceFile.Load(path), engine: Engine);
        Assert.Equal(explanation.Maps.Layout.VisionBlocks, maps.Layout.VisionBlocks);
        Assert.Equal(
            explanation.Maps.Answer[0].Token.VisionMaps[0]!.Values.ToArray(),
            maps.Answer[0].Token.VisionMaps[0]!.Values.ToArray()
        );
    }

    private static double Distance(float[] one, float[] other) =>
        one.Zip(other).Sum(pair => Math.Pow(pair.First - pair.Second, 2));

    /// <summary>The states of the tiles' cells, by cell, in a picture of noise with one cell of other noise.</summary>
    private static async Task<float[][]> StatesOf(int row, int column)
    {
        const int Cell = 28;
        var pixels = new byte[Columns * Cell * Rows * Cell * 3];
        new Random(1).NextBytes(pixels);
        var others = new Random(2);
        for (var i = 0; i < pixels.Length; i++)
        {
            var (y, x) = Math.DivRem(i / 3, Columns * Cell);
            var other = (byte)others.Next(256);
            pixels[i] = (y / Cell, x / Cell) == (row, column) ? other : pixels[i];
        }

        ImagePart picture = new(Bitmap24.Encode(Columns * Cell, Rows * Cell, pixels), "noise.bmp");
        var model = LoadedModels.Get("internvl3");
        var options = Options with { AnswerIds = model.Vocabulary.Tokenize("A cup"), CaptureEvidence = false };
        var trace = (
            await Explainer.ExplainAsync(model, [new(TurnRole.User, [picture, new TextPart("What?")])], options, Engine)
        ).Trace;
        var first = ActivationMaps.Compute(trace).Layout.VisionBlocks[0].FirstCellPosition;
        return
        [
            .. trace
                .HiddenStates.Slice(first * trace.HiddenSize, Columns * Rows * trace.HiddenSize)
                .ToArray()
                .Chunk(trace.HiddenSize),
        ];
    }
}
