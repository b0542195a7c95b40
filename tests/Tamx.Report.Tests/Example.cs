using System.Buffers.Binary;
using System.Text;

namespace Tamx.Report.Tests;

/// <summary>
/// A small conversation with every kind of thing in it: a system turn, a picture, a video without pictures, and an
/// answer.
/// </summary>
internal sealed class Example
{
    private const int OtherId = 1_000_000;
    private static readonly PatchGrid PictureGrid = new(1, 3, 4);
    private static readonly PatchGrid VideoGrid = new(2, 2, 2);

    public string SystemText { get; init; } = "You are a careful assistant.";

    public IReadOnlyList<byte[]> Question { get; init; } = Tokens("What", " is", " this", "?");

    public IReadOnlyList<byte[]> AnswerTexts { get; init; } = Tokens("A", " red", " bus", ".");

    public string PictureName { get; init; } = "bus.bmp";

    public string MediaType { get; init; } = "image/bmp";

    public int PictureWidth { get; init; } = 40;

    public int PictureHeight { get; init; } = 30;

    public RunInfo Run { get; init; } =
        new()
        {
            Model = "Demo",
            ModelDescription = "knows buses",
            Quantization = "Q4_K_M",
            Seed = uint.MaxValue,
            Temperature = 0.7f,
        };

    public float Logit { get; init; } = 12.5f;

    public float Probability { get; init; } = 0.5f;

    /// <summary>The options that the maps claim to be computed with.</summary>
    public TamOptions Options { get; init; } = new();

    public bool HasTexts { get; init; } = true;

    public bool HasVideo { get; init; } = true;

    /// <summary>How many pictures stand before the question, all of them alike.</summary>
    public int PictureCount { get; init; } = 1;

    public bool HasPromptMaps { get; init; }

    /// <summary>ln p of each answer token with the run's region, less that without.</summary>
    public float[]? RegionChanges { get; init; }

    /// <summary>How many of the answer's tokens are its thought.</summary>
    public int ThoughtCount { get; init; }

    /// <summary>Makes map values from the answer token's index and the cell's index.</summary>
    public Func<int, int, float> MapValue { get; init; } = (token, cell) => ((token * 5) + (cell * 7)) % 11 / 10f;

    public static IReadOnlyList<byte[]> Tokens(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    public (Trace Trace, ActivationMaps Maps) Build()
    {
        var ids = new List<int>();
        var texts = new SortedDictionary<int, byte[]> { [OtherId] = " other"u8.ToArray() };
        var markers = MarkerIds.QwenPublished;
        int[] Add(IEnumerable<byte[]> tokens)
        {
            var positions = new List<int>();
            foreach (var token in tokens)
            {
                // Every token has an id of its own.
                texts.Add(ids.Count, token);
                positions.Add(ids.Count);
                ids.Add(ids.Count);
            }

            return [.. positions];
        }

        VisionBlock AddBlock(PatchGrid grid, bool isVideo)
        {
            var start = ids.Count;
            ids.Add(markers.VisionStart);
            ids.AddRange(Enumerable.Repeat(isVideo ? markers.VideoPad!.Value : markers.ImagePad, grid.CellCount));
            ids.Add(markers.VisionEnd);
            return new VisionBlock
            {
                StartPosition = start,
                EndPosition = ids.Count - 1,
                IsVideo = isVideo,
                TurnIndex = 1,
                Grid = grid,
            };
        }

        string TextOf(int id) => Encoding.UTF8.GetString(texts[id]);

        void AddMarkers(int count) => ids.AddRange(Enumerable.Repeat(markers.TurnStart, count));

        AddMarkers(3);
        var system = Add(Tokens(SystemText));
        AddMarkers(4);
        VisionBlock[] pictures = [.. Enumerable.Range(0, PictureCount).Select(_ => AddBlock(PictureGrid, false))];
        VisionBlock[] video = HasVideo ? [AddBlock(VideoGrid, isVideo: true)] : [];
        var question = Add(Question);
        AddMarkers(4);
        var answer = Add(AnswerTexts);

        var turns = new List<Turn>
        {
            new("system", system, []),
            new("user", question, [.. Enumerable.Range(0, PictureCount + video.Length)]),
        };
        if (answer.Length > 0)
        {
            turns.Add(new Turn("assistant", answer, []));
        }

        int[] context = [.. system, .. question];
        AnswerToken[] tokens =
        [
            .. answer.Select(
                (position, i) => AnswerToken(position, i, ids[position], [.. context, .. answer.Take(i)], TextOf)
            ),
        ];
        var layout = new SequenceLayout
        {
            Turns = turns,
            VisionBlocks = [.. pictures, .. video],
            ContextPositions = context,
            AnswerPositions = answer,
            ThoughtCount = ThoughtCount,
        };
        var trace = new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = 64,
            HiddenStates = ReadOnlyMemory<float>.Empty,
            OutputIds = [.. texts.Keys],
            OutputRows = ReadOnlyMemory<float>.Empty,
            RegionChanges = RegionChanges is null ? null : [.. RegionChanges],
            OutputTexts = HasTexts ? [.. texts.Values.Select(text => (ReadOnlyMemory<byte>)text)] : null,
            Pictures =
            [
                .. pictures.Select(
                    (_, i) =>
                        new TracePicture(
                            i,
                            0,
                            MediaType,
                            Bitmap(PictureWidth, PictureHeight),
                            PictureWidth,
                            PictureHeight,
                            null,
                            PictureName
                        )
                ),
            ],
            Run = Run,
        };
        var maps = new ActivationMaps
        {
            Layout = layout,
            Options = Options,
            EngineName = "Reference",
            Answer = tokens,
            Words = HasTexts
                ?
                [
                    .. AnswerWord
                        .Group([.. AnswerTexts.Select(text => (ReadOnlyMemory<byte>)text)])
                        .Select(word => ExplainedWord.Join(word, tokens, WordAggregation.Max)),
                ]
                : [],
            Prompt = HasPromptMaps
                ?
                [
                    .. context.Select(
                        (position, i) => AnswerToken(position, i, ids[position], context, TextOf, hasCandidates: false)
                    ),
                ]
                : [],
            Claims = CheckedClaim.Of(trace, layout, tokens, WordAggregation.Max),
        };
        return (trace, maps);
    }

    /// <summary>Two answer tokens with maps of many cells over a picture of many pixels.</summary>
    public static (Trace Trace, ActivationMaps Maps) Large(int cells, int pixels)
    {
        var grid = new PatchGrid(1, cells, cells);
        var markers = MarkerIds.QwenPublished;
        int[] ids =
        [
            markers.VisionStart,
            .. Enumerable.Repeat(markers.ImagePad, grid.CellCount),
            markers.VisionEnd,
            0,
            1,
            2,
        ];
        int[] text = [.. Enumerable.Range(grid.CellCount + 2, 3)];
        ExplainedToken Explained(int id) =>
            new()
            {
                TokenId = id,
                Logit = 1,
                Probability = 1,
                VisionMaps =
                [
                    new ActivationMap(
                        grid,
                        Enumerable.Range(0, grid.CellCount).Select(cell => ((cell * (7 + id)) % 101) / 100f).ToArray()
                    ),
                ],
                TextRelevance = [1, .. Enumerable.Repeat(0.5f, id - 1)],
            };
        AnswerToken Answer(int id) =>
            new()
            {
                Position = text[id],
                Token = Explained(id),
                Candidates = [Explained(id)],
                TextPositions = text[..id],
                RawRange = (0, 1),
            };
        var block = new VisionBlock
        {
            StartPosition = 0,
            EndPosition = grid.CellCount + 1,
            IsVideo = false,
            TurnIndex = 0,
            Grid = grid,
        };
        var layout = new SequenceLayout
        {
            Turns = [new Turn("user", text[..1], [0]), new Turn("assistant", text[1..], [])],
            VisionBlocks = [block],
            ContextPositions = text[..1],
            AnswerPositions = text[1..],
        };
        var trace = new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = 1,
            HiddenStates = ReadOnlyMemory<float>.Empty,
            OutputIds = [0, 1, 2],
            OutputRows = ReadOnlyMemory<float>.Empty,
            OutputTexts = ["What?"u8.ToArray(), "A"u8.ToArray(), " bus"u8.ToArray()],
            Pictures = [new TracePicture(0, 0, "image/bmp", Bitmap(pixels, pixels), pixels, pixels)],
        };
        return (
            trace,
            new ActivationMaps
            {
                Layout = layout,
                Options = new TamOptions(),
                EngineName = "Reference",
                Answer = [Answer(1), Answer(2)],
            }
        );
    }

    /// <summary>The first answer token has no map over the video, as if the video came after it.</summary>
    private AnswerToken AnswerToken(
        int position,
        int index,
        int id,
        int[] textPositions,
        Func<int, string> textOf,
        bool hasCandidates = true
    )
    {
        ExplainedToken Explained(int tokenId, int seed) =>
            new()
            {
                TokenId = tokenId,
                Text = HasTexts ? textOf(tokenId) : null,
                Logit = Logit,
                Probability = Probability,
                VisionMaps =
                [
                    .. Enumerable.Repeat(Map(PictureGrid, seed), PictureCount),
                    .. HasVideo ? new[] { index == 0 ? null : Map(VideoGrid, seed) } : [],
                ],
                TextRelevance = [.. textPositions.Select((_, i) => (i + 1f) / textPositions.Length)],
            };

        var own = Explained(id, index);
        return new AnswerToken
        {
            Position = position,
            Token = own,
            Candidates = hasCandidates ? [own, Explained(OtherId, index + 3)] : [],
            TextPositions = textPositions,
            RawRange = (0, 10 + index),
        };
    }

    private ActivationMap Map(PatchGrid grid, int seed) =>
        new(grid, Enumerable.Range(0, grid.CellCount).Select(cell => MapValue(seed, cell)).ToArray());

    /// <summary>A picture in the simplest of formats: 24-bit BMP, a blend of colours.</summary>
    private static byte[] Bitmap(int width, int height)
    {
        const int HeaderBytes = 54;
        var stride = ((3 * width) + 3) / 4 * 4;
        var file = new byte[HeaderBytes + (stride * height)];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(26), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(28), 24);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = file.AsSpan(HeaderBytes + (y * stride) + (3 * x), 3);
                pixel[0] = (byte)(255 * x / width);
                pixel[1] = (byte)(255 * y / height);
                pixel[2] = 160;
            }
        }

        return file;
    }
}
