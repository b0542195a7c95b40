using System.Text;

namespace Tamx.Tests;

/// <summary>Boxes and points that an answer names.</summary>
public class ClaimedRegionTests
{
    [Theory]
    [InlineData("""{"bbox_2d": [100, 200, 300, 400], "label": "a cat"}""", "a cat 0.1 0.2 0.3 0.4")]
    [InlineData("""{"label": "a cat", "bbox_2d": [100, 200, 300, 400]}""", "a cat 0.1 0.2 0.3 0.4")]
    [InlineData(
        "```json\n[\n\t{\"bbox_2d\": [100, 200, 300, 400], \"label\": \"cat\"},\n\t{\"bbox_2d\": [0, 0, 1000, 1000], "
            + "\"label\": \"dog\"}\n]\n```",
        "cat 0.1 0.2 0.3 0.4|dog 0 0 1 1"
    )]
    [InlineData("""Here: [{"point_2d": [250, 750], "label": "cat"}].""", "cat 0.25 0.75 0.25 0.75")]
    [InlineData("""{"bbox_2d": [100.5, 200, 300, 400.5]}""", " 0.1005 0.2 0.3 0.4005")]
    [InlineData("""{"bbox_2d": [1, 2, 3, 4], "text_content": "STOP"}""", "STOP 0.001 0.002 0.003 0.004")]
    [InlineData("""{"sub": "x", "label": "cat", "bbox_2d": [1, 2, 3, 4]}""", "cat 0.001 0.002 0.003 0.004")]
    [InlineData("""{"all": {"bbox_2d": [1, 2, 3, 4], "label": "cat"}}""", "cat 0.001 0.002 0.003 0.004")]
    [InlineData(
        """{"bbox_2d": [[1, 2, 3, 4], [5, 6, 7, 8]], "label": "cat"}""",
        "cat 0.001 0.002 0.003 0.004|cat 0.005 0.006 0.007 0.008"
    )]
    [InlineData("""{"bbox_2d": [1, 2, 3, 4], "label": "Kätz\u00fc \"x\""}""", "Kätzü \"x\" 0.001 0.002 0.003 0.004")]
    [InlineData("""{"bbox_2d": [1, 2, 3, 4], "label": "{a} (5,6)",}""", "{a} (5,6) 0.001 0.002 0.003 0.004")]
    public void Read_Objects_GivesLabelsAndBoxes(string answer, string expected) =>
        Assert.Equal(expected, Shown(Read(answer)));

    [Theory]
    [InlineData(
        "<|object_ref_start|>the cat<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|>",
        "the cat 0.1 0.2 0.3 0.4"
    )]
    [InlineData("<|box_start|>( 100 , 200 ), (300.0,400)<|box_end|>", " 0.1 0.2 0.3 0.4")]
    [InlineData(
        "<|object_ref_start|>cats<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|>, "
            + "<|box_start|>(5,6),(7,8)<|box_end|>",
        "cats 0.001 0.002 0.003 0.004|cats 0.005 0.006 0.007 0.008"
    )]
    [InlineData(
        "<|object_ref_start|>cat<|object_ref_end|> and also <|box_start|>(5,6),(7,8)<|box_end|>",
        " 0.005 0.006 0.007 0.008"
    )]
    [InlineData(
        "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(5,6)<|box_end|>",
        "cat 0.005 0.006 0.005 0.006"
    )]
    [InlineData("<ref>the cat</ref><box>[[100, 200, 300, 400]]</box>", "the cat 0.1 0.2 0.3 0.4")]
    [InlineData("<box>[[100,200,300,400]]</box>", " 0.1 0.2 0.3 0.4")]
    [InlineData(
        "<ref>cats</ref><box>[[1, 2, 3, 4], [5, 6, 7, 8]]</box> and <ref>dog</ref><box>[[9, 10, 11, 12]]</box>",
        "cats 0.001 0.002 0.003 0.004|cats 0.005 0.006 0.007 0.008|dog 0.009 0.01 0.011 0.012"
    )]
    [InlineData("<ref>cat</ref> and also <box>[[5, 6, 7, 8]]</box>", " 0.005 0.006 0.007 0.008")]
    [InlineData("It is at (120, 340).", " 0.12 0.34 0.12 0.34")]
    [InlineData("From (120, 340), (500, 600) on", " 0.12 0.34 0.5 0.6")]
    public void Read_MarkersAndPairs_GivesLabelsAndBoxes(string answer, string expected) =>
        Assert.Equal(expected, Shown(Read(answer)));

    [Theory]
    [InlineData("")]
    [InlineData("A cat sits left of a dog.")]
    [InlineData("""{"bbox_2d": [1, 2, 3], "label": "cat"}""")]
    [InlineData("""{"bbox_2d": [1, 2, 3, 4, 5], "label": "cat"}""")]
    [InlineData("""{"bbox_2d": [1, 2, "3", 4], "label": "cat"}""")]
    [InlineData("""{"bbox_2d": [1, 2, null, 3, 4], "label": "cat"}""")]
    [InlineData("""{"bbox_2d": "1 2 3 4", "label": "cat"}""")]
    [InlineData("""{"bbox_2d": [300, 200, 100, 400], "label": "turned"}""")]
    [InlineData("""{"bbox_2d": [100, 200, 100, 400], "label": "no width"}""")]
    [InlineData("""{"bbox_2d": [1100, 200, 1300, 400], "label": "outside"}""")]
    [InlineData("""{"bbox_2d": [1, 2, 3, 1e999], "label": "endless"}""")]
    [InlineData("""{"point_2d": [1001, 2], "label": "outside"}""")]
    [InlineData("""{"bbox_2d": [100, 200, 300""")]
    [InlineData("""{"bbox_2d": [100, 200, 300, 400], "label": "cut off""")]
    [InlineData("""{"bbox_2d": [100, 200, 300, 400] "label": "no comma"}""")]
    [InlineData("<|box_start|>(100,200),(300,400)")]
    [InlineData("<|box_start|>(100,200),(300,<|box_end|>")]
    [InlineData("<|box_start|>(1,2),(3,4),(5,6)<|box_end|>")]
    [InlineData("<|box_end|><|object_ref_end|>")]
    [InlineData("<ref>cat</ref><box>[[1, 2, 3, 4]]")]
    [InlineData("<ref>cat</ref><box>[[1, 2, 3]]</box>")]
    [InlineData("<ref>cat</ref><box>[[1, 2, 3, 4, 5]]</box>")]
    [InlineData("<ref>cat</ref><box>[[1, 2, 3, 4], [5, 6]]</box>")]
    [InlineData("<ref>cat</ref><box>[[]]</box><box></box></ref>")]
    [InlineData("f(1, 2) is 3, and (2019, 2020) are years, (-1, 2) and (1, 2, 3) neither")]
    public void Read_Malformed_LeavesItOut(string answer) => Assert.Empty(Read(answer));

    [Fact]
    public void Read_CutOffList_KeepsWholeObjects()
    {
        var claims = Read("""{"all": [{"bbox_2d": [1, 2, 3, 4], "label": "cat"}, {"bbox_2d": [5, 6, 7, 8], "lab""");

        Assert.Equal("cat 0.001 0.002 0.003 0.004", Shown(claims));
    }

    [Fact]
    public void Read_BeyondThePicture_KeepsThePartWithinAndSaysSo()
    {
        var claims = Read(
            """[{"bbox_2d": [-50, 200, 300, 1400], "label": "a"}, {"bbox_2d": [0, 0, 1000, 1000], "label": "b"}]"""
        );

        Assert.Equal("a 0 0.2 0.3 1|b 0 0 1 1", Shown(claims));
        Assert.Equal([true, false], claims.Select(claim => claim.IsClamped));
    }

    [Theory]
    [InlineData("qwen3vl", "Qwen3-VL-8B-Instruct", "x 0.056 0.056 0.112 0.084")]
    [InlineData("qwen2vl", "Qwen2.5 VL 7B Instruct", "x 0.5 0.6666667 1 1")]
    [InlineData("qwen2vl", null, "x 0.5 0.6666667 1 1")]
    [InlineData("qwen2vl", "Qwen2 VL 7B Instruct", "x 0.056 0.056 0.112 0.084")]
    [InlineData("qwen2vl", "Qwen2-VL-2B", "x 0.056 0.056 0.112 0.084")]
    [InlineData("qwen3", "InternVL3_5-8B", "x 0.056 0.056 0.112 0.084")]
    [InlineData(null, "Qwen3-VL", "")]
    [InlineData("gemma3", "gemma-3-4b-it", "")]
    [InlineData("llama", "SmolVLM2-500M", "")]
    [InlineData("strange", "strange", "")]
    public void Read_ByFamily_TakesItsUnits(string? architecture, string? model, string expected)
    {
        // Three rows of four cells: 112 x 84 pixels in Qwen2.5-VL.
        var run = new RunInfo { Architecture = architecture, Model = model };

        Assert.Equal(expected, Shown(Read("""{"bbox_2d": [56, 56, 112, 84], "label": "x"}""", run)));
        Assert.Equal(
            expected,
            Shown(Read("<|object_ref_start|>x<|object_ref_end|><|box_start|>(56,56),(112,84)<|box_end|>", run))
        );
    }

    [Fact]
    public void Read_Tokens_AreThoseThatHoldLabelAndNumbers()
    {
        string[] tokens =
        [
            "<think>",
            "(1,2)",
            "</think>",
            "{\"",
            "bbox_2d",
            "\": [1",
            "0",
            ", 2, ",
            "3",
            "00, 4",
            "00]",
        ];
        tokens = [.. tokens, ", \"label", "\": \"", "a b", "ig", " cat", "\"}"];

        var claim = Assert.Single(Read(tokens, thoughtCount: 3));

        Assert.Equal("a big cat", claim.Label);
        Assert.Equal(["a b", "ig", " cat"], claim.LabelTokens.Select(token => tokens[token]));
        Assert.Equal(
            ["\": [1", "0", ", 2, ", "3", "00, 4", "00]"],
            claim.CoordinateTokens.Select(token => tokens[token])
        );
    }

    [Fact]
    public void Read_CharactersSpreadOverTokens_AreWhole()
    {
        var bytes = Encoding.UTF8.GetBytes("""{"label": "Bär", "bbox_2d": [1, 2, 3, 4]}""");

        var claim = Assert.Single(
            Read([.. bytes.Select(one => new[] { one })], new RunInfo { Architecture = "qwen3vl" })
        );

        Assert.Equal("Bär", claim.Label);
        Assert.Equal(4, claim.LabelTokens.Count);
    }

    [Fact]
    public void Read_SeveralPictures_TakesTheLast()
    {
        var claim = Assert.Single(Read(Bytes("(1, 2)"), new RunInfo { Architecture = "qwen3vl" }, blocks: "PPV"));

        Assert.Equal(1, claim.BlockIndex);
        Assert.Empty(Read(Bytes("(1, 2)"), new RunInfo { Architecture = "qwen3vl" }, blocks: "V"));
        Assert.Empty(Read(Bytes("(1, 2)"), new RunInfo { Architecture = "qwen3vl" }, blocks: ""));
    }

    [Fact]
    public void Read_AnyBytes_NeverThrows()
    {
        string[] parts =
        [
            "{",
            "}",
            "[",
            "]",
            "\"",
            ",",
            ":",
            "(",
            ")",
            "1",
            "2000",
            "-",
            ".",
            " ",
            "\n",
            "\\",
            "\\u",
            "é",
            "{\"",
            "e9",
            "\"bbox_2d\"",
            "\"point_2d\"",
            "\"label\"",
            "[1,2,3,4]",
            "<|box_start|>",
            "<|box_end|>",
            "<|object_ref_start|>",
            "<|object_ref_end|>",
            "(1,2)",
            "{\"bbox_2d\":[1,2,3,4],\"label\":\"x\"}",
        ];
        var random = new Random(7);
        var found = 0;
        for (var i = 0; i < 4000; i++)
        {
            byte[][] tokens =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 24))
                    .Select(_ =>
                        random.Next(12) == 0
                            ? [(byte)random.Next(256)]
                            : Encoding.UTF8.GetBytes(parts[random.Next(parts.Length)])
                    ),
            ];
            var claims = Read(tokens, new RunInfo { Architecture = i % 2 == 0 ? "qwen3vl" : "qwen2vl" });
            found += claims.Count;
            Assert.All(
                claims,
                claim =>
                {
                    Assert.InRange(claim.Box.Left, 0, claim.Box.Right);
                    Assert.InRange(claim.Box.Right, 0, 1);
                    Assert.InRange(claim.Box.Top, 0, claim.Box.Bottom);
                    Assert.InRange(claim.Box.Bottom, 0, 1);
                    Assert.NotEmpty(claim.CoordinateTokens);
                    Assert.All(
                        claim.LabelTokens.Concat(claim.CoordinateTokens),
                        one => Assert.InRange(one, 0, tokens.Length - 1)
                    );
                }
            );
        }

        Assert.True(found > 1000, $"only {found} claims");
    }

    [Fact]
    public void Read_ManyOpenObjects_Ends()
    {
        // Each of them is cut off, so each is read to its end; nested as deep as JSON may be.
        var answer = string.Concat(Enumerable.Repeat("{\"bbox_2d\":[[1,2,3,4]],\"a\":", 20_000));

        Assert.Empty(Read(answer));
    }

    private static IReadOnlyList<ClaimedRegion> Read(string answer, RunInfo? run = null) =>
        Read(Bytes(answer), run ?? new RunInfo { Architecture = "qwen3vl" });

    private static IReadOnlyList<ClaimedRegion> Read(string[] tokens, int thoughtCount) =>
        Read(
            [.. tokens.Select(Encoding.UTF8.GetBytes)],
            new RunInfo { Architecture = "qwen3vl" },
            thoughtCount: thoughtCount
        );

    private static byte[][] Bytes(string text) => [Encoding.UTF8.GetBytes(text)];

    /// <param name="tokens">The answer's.</param>
    /// <param name="run">What is known of the run.</param>
    /// <param name="blocks">Pictures (P) and videos (V) of three rows of four cells.</param>
    /// <param name="thoughtCount">How many of the tokens are a thought.</param>
    private static IReadOnlyList<ClaimedRegion> Read(
        byte[][] tokens,
        RunInfo run,
        string blocks = "P",
        int thoughtCount = 0
    )
    {
        const int BlockTokens = 14;
        var start = BlockTokens * blocks.Length;
        var trace = new Trace
        {
            TokenIds = [.. Enumerable.Repeat(tokens.Length, start), .. Enumerable.Range(0, tokens.Length)],
            HiddenSize = 1,
            HiddenStates = ReadOnlyMemory<float>.Empty,
            OutputIds = [.. Enumerable.Range(0, tokens.Length)],
            OutputRows = ReadOnlyMemory<float>.Empty,
            OutputTexts = [.. tokens.Select(token => (ReadOnlyMemory<byte>)token)],
            Run = run,
        };
        var layout = new SequenceLayout
        {
            Turns = [],
            VisionBlocks =
            [
                .. blocks.Select(
                    (kind, i) =>
                        new VisionBlock
                        {
                            StartPosition = i * BlockTokens,
                            EndPosition = ((i + 1) * BlockTokens) - 1,
                            IsVideo = kind == 'V',
                            TurnIndex = 0,
                            Grid = new PatchGrid(1, 3, 4),
                        }
                ),
            ],
            ContextPositions = [],
            AnswerPositions = [.. Enumerable.Range(start, tokens.Length)],
            ThoughtCount = thoughtCount,
        };
        return ClaimedRegion.Read(trace, layout);
    }

    private static string Shown(IEnumerable<ClaimedRegion> claims) =>
        string.Join(
            '|',
            claims.Select(claim =>
                FormattableString.Invariant(
                    $"{claim.Label} {claim.Box.Left:0.#######} {claim.Box.Top:0.#######} {claim.Box.Right:0.#######} {claim.Box.Bottom:0.#######}"
                )
            )
        );
}
