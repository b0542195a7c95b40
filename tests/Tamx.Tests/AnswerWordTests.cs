using System.Text;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

public class AnswerWordTests
{
    [Fact]
    public void Group_Tokens_StartsWordsAtBlanksPunctuationAndCjkCharacters() =>
        Check(
            [
                "A",
                " tra",
                "ffic",
                " light",
                ",",
                "s",
                " \u732b",
                "\u72d7",
                "\u304c",
                "\u3002",
                " \ud55c",
                "\uad6d",
                ".",
                "\n\n",
                "The",
            ],
            [
                ("A", 1),
                ("traffic", 2),
                ("light", 1),
                (",s", 2),
                ("\u732b", 1),
                ("\u72d7", 1),
                ("\u304c", 1),
                ("\u3002", 1),
                ("\ud55c\uad6d", 2),
                (".", 1),
                ("The", 2),
            ]
        );

    [Fact]
    public void Group_ControlToken_IsAWordOfItsOwn() =>
        Check(
            ["a", "b", "<|im_end|>", "c", "d", "<|", "x", "|>"],
            [("ab", 2), ("<|im_end|>", 1), ("cd", 2), ("<|x", 2), ("|>", 1)]
        );

    [Fact]
    public void Group_TagsOfThoughtsAndTools_AreWordsOfTheirOwn() =>
        Check(
            ["<think>", "a", "b", "</think>", "c", "<tool_call>", "d", "<=>", "e", "<>", "f"],
            [
                ("<think>", 1),
                ("ab", 2),
                ("</think>", 1),
                ("c", 1),
                ("<tool_call>", 1),
                ("d", 1),
                ("<=>e", 2),
                ("<>f", 2),
            ]
        );

    [Fact]
    public void Group_ContractionsAndHyphens_SplitAtThePunctuation() =>
        Check(
            ["don", "'t", " heart", "-shaped", " 3", ".5"],
            [("don", 1), ("'t", 1), ("heart", 1), ("-shaped", 1), ("3", 1), (".5", 1)]
        );

    [Fact]
    public void Group_CharactersSpreadOverTokens_AreOneWordEach()
    {
        var bus = "\ud83d\ude8c"u8.ToArray();
        var cat = "\u732b"u8.ToArray();
        ReadOnlyMemory<byte>[] tokens =
        [
            "so"u8.ToArray(),
            bus.AsMemory(..1),
            bus.AsMemory(1..2),
            bus.AsMemory(2..3),
            bus.AsMemory(3..),
            cat.AsMemory(..2),
            (byte[])[.. cat[2..], .. "\u72d7"u8],
            "x"u8.ToArray(),
        ];

        var words = AnswerWord.Group(tokens);

        // The last piece of the cat begins the dog: both lie in one token, and so in one word.
        Assert.Equal(["so", "\ud83d\ude8c", "\u732b\u72d7x"], words.Select(word => word.Text));
        Assert.Equal(
            [
                [0],
                [1, 2, 3, 4],
                [5, 6, 7],
            ],
            words.Select(word => word.TokenIndices)
        );
    }

    [Fact]
    public void Group_EmojiOfSeveralCodePoints_IsOneWord()
    {
        // Thumb + skin tone; woman, joiner, rocket; the flag of two letters.
        Check(
            [
                " \ud83d\udc4d",
                "\ud83c\udffd",
                "\ud83d\udc69",
                "\u200d",
                "\ud83d\ude80",
                "\ud83c\uddee",
                "\ud83c\uddf9",
                "\ud83d\ude8c",
            ],
            [
                ("\ud83d\udc4d\ud83c\udffd", 2),
                ("\ud83d\udc69\u200d\ud83d\ude80", 3),
                ("\ud83c\uddee\ud83c\uddf9", 2),
                ("\ud83d\ude8c", 1),
            ]
        );
    }

    [Fact]
    public void Group_BytesThatAreNoText_AreKept()
    {
        var words = AnswerWord.Group([(byte[])[0xFF], "a"u8.ToArray(), ReadOnlyMemory<byte>.Empty, " b"u8.ToArray()]);

        Assert.Equal(["\uFFFDa", "b"], words.Select(word => word.Text));
        Assert.Equal(
            [
                [0, 1, 2],
                [3],
            ],
            words.Select(word => word.TokenIndices)
        );
        Assert.Empty(AnswerWord.Group(Array.Empty<string>()));
    }

    [Fact]
    public void Compute_WordOfSeveralTokens_TakesTheLargestRawValues()
    {
        var trace = Answer(
            candidates:
            [
                [],
                [],
                [],
            ]
        );

        var maps = ActivationMaps.Compute(trace);
        var mean = ActivationMaps.Compute(trace, new TamOptions { WordMaps = WordAggregation.Mean });

        Assert.Equal(["lighthouse", "."], maps.Words.Select(word => word.Word.Text));
        var word = maps.Words[0];
        Assert.Equal([0, 1], word.Word.TokenIndices);
        var (a, b) = (maps.Answer[0].Token, maps.Answer[1].Token);
        Assert.Equal(MathF.Min(a.RawRange.Minimum, b.RawRange.Minimum), word.RawRange.Minimum);
        Assert.Equal(MathF.Max(a.RawRange.Maximum, b.RawRange.Maximum), word.RawRange.Maximum);
        FloatAssert.Equal(
            Expected(a.VisionMaps[0]!.Values.ToArray(), b.VisionMaps[0]!.Values.ToArray(), Math.Max),
            word.VisionMaps[0]!.Values.Span,
            1e-6,
            "maximum"
        );
        FloatAssert.Equal(
            Expected(a.VisionMaps[0]!.Values.ToArray(), b.VisionMaps[0]!.Values.ToArray(), (x, y) => (x + y) / 2),
            mean.Words[0].VisionMaps[0]!.Values.Span,
            1e-6,
            "mean"
        );

        // The word's own tokens are no text before it.
        Assert.Equal(maps.Answer[0].TextPositions.Count, word.TextRelevance.Length);
        FloatAssert.Equal(
            Expected(a.TextRelevance.ToArray(), b.TextRelevance[..a.TextRelevance.Length].ToArray(), Math.Max),
            word.TextRelevance.AsSpan(),
            1e-6,
            "text"
        );

        float[] Expected(float[] first, float[] second, Func<double, double, double> join) =>
            [
                .. first.Zip(
                    second,
                    (x, y) =>
                        (float)(
                            (join(Raw(a, x), Raw(b, y)) - word.RawRange.Minimum)
                            / (word.RawRange.Maximum - word.RawRange.Minimum)
                        )
                ),
            ];

        static double Raw(ExplainedToken token, float value) =>
            token.RawRange.Minimum + value * (token.RawRange.Maximum - token.RawRange.Minimum);
    }

    [Fact]
    public void Compute_WordOfOneToken_HasTheTokensMaps()
    {
        var maps = ActivationMaps.Compute(
            Answer(
                candidates:
                [
                    [],
                    [],
                    [],
                ]
            )
        );

        Assert.Same(maps.Answer[2].Token.VisionMaps[0], maps.Words[1].VisionMaps[0]);
        Assert.True(maps.Answer[2].Token.TextRelevance == maps.Words[1].TextRelevance);
        Assert.Equal(maps.Answer[2].RawRange, maps.Words[1].RawRange);
    }

    [Fact]
    public void Compute_TraceWithoutTexts_HasNoWords() =>
        Assert.Empty(
            ActivationMaps.Compute(Create([.. User([1, .. Image(6), 2]), .. Assistant(4)], [new(1, 4, 6)])).Words
        );

    private static Trace Answer(int[][] candidates) =>
        Create(
            [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5, 6)],
            [new(1, 4, 6)],
            candidates: candidates,
            text: id =>
                id switch
                {
                    4 => " light",
                    5 => "house",
                    6 => ".",
                    _ => $" {id}",
                }
        );

    private static void Check(string[] tokens, (string Text, int TokenCount)[] expected)
    {
        var words = AnswerWord.Group(tokens);
        Assert.Equal(expected, words.Select(word => (word.Text, word.TokenIndices.Count)));
        Assert.Equal(Enumerable.Range(0, tokens.Length), words.SelectMany(word => word.TokenIndices));

        // The same cut into bytes: every byte a token. No word starts within a character.
        ReadOnlyMemory<byte>[] bytes =
        [
            .. Encoding.UTF8.GetBytes(string.Concat(tokens)).Select(value => new[] { value }),
        ];
        Assert.DoesNotContain(AnswerWord.Group(bytes), word => word.Text.Contains('\uFFFD', StringComparison.Ordinal));
    }
}
