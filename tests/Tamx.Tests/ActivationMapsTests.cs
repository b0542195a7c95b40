using System.Runtime.InteropServices;
using Tamx.Kernels;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

public class ActivationMapsTests
{
    private static readonly PatchGrid Patches = new(1, 4, 6);

    [Fact]
    public void Compute_BlockAfterTheToken_HasNoMap()
    {
        // Generated text, an image in the midst of it, and text again: the first two answer tokens come before the
        // second image.
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated([4, 5, .. Image(6), 6])];
        var generated = ids.Length - Array.IndexOf(ids, 4);
        var trace = Create(
            ids,
            [Patches, Patches],
            candidates: [.. Enumerable.Range(0, generated).Select(_ => new[] { 7, 8 })]
        );

        var maps = ActivationMaps.Compute(trace);

        Assert.Equal([true, false], maps.Answer[0].Token.VisionMaps.Select(map => map is not null));
        Assert.Equal([true, false], maps.Answer[1].Candidates[1].VisionMaps.Select(map => map is not null));
        Assert.Equal([true, false], maps.Answer[^2].Token.VisionMaps.Select(map => map is not null));
        Assert.Equal([true, true], maps.Answer[^1].Token.VisionMaps.Select(map => map is not null));
    }

    [Fact]
    public void Compute_LaterTokens_DoNotChangeEarlierOnes()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5, 6)];
        var all = ActivationMaps.Compute(
            Create(
                ids,
                [Patches],
                candidates:
                [
                    [7],
                    [8],
                    [9],
                ]
            )
        );
        var first = ActivationMaps.Compute(
            Create(
                ids[..^1],
                [Patches],
                candidates:
                [
                    [7],
                    [8],
                ]
            )
        );

        for (var i = 0; i < first.Answer.Count; i++)
        {
            AssertSame(first.Answer[i].Token, all.Answer[i].Token);
            AssertSame(first.Answer[i].Candidates[0], all.Answer[i].Candidates[0]);
        }
    }

    [Fact]
    public void Compute_OneRowPerToken_GivesTheSameAsOneLess()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5, 6)];
        var less = ActivationMaps.Compute(
            Create(
                ids,
                [Patches],
                candidates:
                [
                    [7],
                    [8],
                    [9],
                ]
            )
        );
        var full = ActivationMaps.Compute(
            Create(
                ids,
                [Patches],
                candidates:
                [
                    [7],
                    [8],
                    [9],
                ],
                rowCount: ids.Length
            )
        );

        Assert.All(less.Answer.Zip(full.Answer), pair => AssertSame(pair.First.Token, pair.Second.Token));
    }

    [Fact]
    public void Compute_CandidateEqualToTheAnswer_IsReportedTwice()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5)];
        var trace = Create(
            ids,
            [Patches],
            candidates:
            [
                [4, 7],
                [7, 5],
            ]
        );

        var maps = ActivationMaps.Compute(trace);

        AssertSame(maps.Answer[0].Token, maps.Answer[0].Candidates[0]);
        AssertSame(maps.Answer[1].Token, maps.Answer[1].Candidates[1]);
        Assert.Same(maps.Answer[0].Token.VisionMaps[0], maps.Answer[0].Candidates[0].VisionMaps[0]);
        Assert.Equal([4, 7], maps.Answer[0].Candidates.Select(candidate => candidate.TokenId));
    }

    [Fact]
    public void Compute_Probabilities_ComeFromTheirPlaces()
    {
        int[] ids = [.. User([1, .. Image(6), 2]), .. Generated(4)];
        var plain = Create(
            ids,
            [Patches],
            candidates:
            [
                [4, 7],
            ]
        );
        var trace = new Trace
        {
            TokenIds = plain.TokenIds,
            HiddenSize = plain.HiddenSize,
            HiddenStates = plain.HiddenStates,
            OutputIds = plain.OutputIds,
            OutputRows = plain.OutputRows,
            ImageGrids = plain.ImageGrids,
            CandidateIds = plain.CandidateIds,
            CandidateProbabilities =
            [
                [0.5f, 0.25f],
            ],
            AnswerProbabilities = [0.5f],
        };

        var token = ActivationMaps.Compute(trace).Answer[0];

        Assert.Equal(0.5f, token.Token.Probability);
        Assert.Equal([0.5f, 0.25f], token.Candidates.Select(candidate => candidate.Probability));
        Assert.True(float.IsNaN(ActivationMaps.Compute(plain).Answer[0].Token.Probability));
    }

    [Fact]
    public void Compute_EveryProfile_StaysWithinZeroAndOneAndCoversTheRange()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3, 4]), .. Generated(4, 5, 4)];
        var trace = Create(
            ids,
            [Patches],
            candidates:
            [
                [4, 7],
                [7, 5],
                [8, 4],
            ],
            text: id => $" Word{id}"
        );
        foreach (var profile in Enum.GetValues<TamProfile>())
        {
            var maps = ActivationMaps.Compute(trace, TamOptions.ForProfile(profile));

            Assert.All(
                maps.Answer,
                token =>
                    Assert.All(
                        token
                            .Candidates.Prepend(token.Token)
                            .SelectMany(one =>
                                one.TextRelevance.Concat(one.VisionMaps.SelectMany(map => map!.Values.ToArray()))
                            ),
                        value => Assert.InRange(value, 0, 1)
                    )
            );
            Assert.All(maps.Answer, token => Assert.True(token.RawRange.Maximum > token.RawRange.Minimum));
            Assert.All(maps.Answer, token => Assert.Equal(token.RawRange, token.Token.RawRange));
            Assert.Equal(profile, maps.Options.Profile);
        }
    }

    public static TheoryData<string, TamProfile> EnginesAndProfiles
    {
        get
        {
            var data = new TheoryData<string, TamProfile>();
            foreach (var kind in TestEngines.Working)
            {
                foreach (var profile in Enum.GetValues<TamProfile>())
                {
                    data.Add(kind.Name, profile);
                }
            }

            return data;
        }
    }

    /// <summary>
    /// Two pictures with text between them, whose states lie between the cells', and an answer computed one token at a
    /// time, two, or all.
    /// </summary>
    [Theory]
    [MemberData(nameof(EnginesAndProfiles))]
    public void Compute_InSlices_GivesTheSameBits(string kind, TamProfile profile)
    {
        int[] ids =
        [
            .. User([1, .. Image(6), 2, 3, .. Image(6), 8]),
            .. Assistant(9, 4),
            .. User(3),
            .. Generated(4, 5, 6, 4),
        ];
        var trace = Create(
            ids,
            [Patches, Patches],
            candidates:
            [
                [7, 4],
                [5, 8],
                [9, 1],
                [2, 3],
            ],
            text: id => $" Word{id}"
        );
        var options = TamOptions.ForProfile(profile);
        using var engine = TamEngines.Create(kind);
        var whole = ActivationMaps.Compute(trace, options, engine);
        var reference = ActivationMaps.Compute(trace, options, new ReferenceEngine());
        foreach (var bytes in (long[])[1, 6 * 2 * 3 * 2 * sizeof(float)])
        {
            using var slicing = TamEngines.Create(new EngineOptions { Kind = kind, MaxWorkingBytes = bytes });
            var sliced = ActivationMaps.Compute(trace, options, slicing);

            Assert.Equal(whole.Answer.Count, sliced.Answer.Count);
            Assert.All(
                whole.Prompt.Concat(whole.Answer).Zip(sliced.Prompt.Concat(sliced.Answer)),
                pair =>
                {
                    AssertSame(pair.First.Token, pair.Second.Token);
                    Assert.All(
                        pair.First.Candidates.Zip(pair.Second.Candidates),
                        candidates => AssertSame(candidates.First, candidates.Second)
                    );
                }
            );
        }

        foreach (var (expected, actual) in reference.Answer.Zip(whole.Answer))
        {
            foreach (var (one, other) in expected.Token.VisionMaps.Zip(actual.Token.VisionMaps))
            {
                FloatAssert.Equal(one!.Values.Span, other!.Values.Span, 2e-6, $"{expected.Position}");
            }
        }
    }

    [Fact]
    public void Compute_PaperProfile_DoesNotDependOnTheCandidates()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5)];
        var options = TamOptions.ForProfile(TamProfile.Paper);

        var few = ActivationMaps.Compute(
            Create(
                ids,
                [Patches],
                candidates:
                [
                    [1],
                    [2],
                ]
            ),
            options
        );
        var many = ActivationMaps.Compute(
            Create(
                ids,
                [Patches],
                candidates:
                [
                    [1, 2, 3],
                    [2, 4, 1],
                ]
            ),
            options
        );

        Assert.All(few.Answer.Zip(many.Answer), pair => AssertSame(pair.First.Token, pair.Second.Token));
    }

    [Fact]
    public void Compute_RepeatedWordsByText_LeavesOutTheSameWord()
    {
        // The only context word after the image is " Cat", the explained one "cat": told by id it is subtracted, folded
        // it is not.
        int[] ids = [.. User([.. Image(6), 2]), .. Generated(4)];
        var trace = Create(
            ids,
            [Patches],
            candidates:
            [
                [],
            ],
            text: id =>
                id == 2 ? " Cat"
                : id == 4 ? "cat"
                : $"{id}"
        );
        var plain = new TamOptions { ApplyFilter = false };

        var none = ActivationMaps.Compute(trace, plain with { ApplyEci = false }).Answer[0].Token;
        var byId = ActivationMaps.Compute(trace, plain).Answer[0].Token;
        var byText = ActivationMaps.Compute(trace, plain with { RepeatedWords = RepeatedWords.ByText }).Answer[0].Token;
        var folded = ActivationMaps
            .Compute(trace, plain with { RepeatedWords = RepeatedWords.ByFoldedText })
            .Answer[0]
            .Token;

        AssertSame(none, folded);
        AssertSame(byId, byText);
        Assert.NotEqual(none.VisionMaps[0], byId.VisionMaps[0]);
    }

    [Fact]
    public void Compute_RelevanceWherePredicted_TakesTheRowBefore()
    {
        int[] ids = [.. User([.. Image(6), 2]), .. Generated(4, 5)];
        var trace = Create(
            ids,
            [Patches],
            candidates:
            [
                [],
                [],
            ]
        );
        var options = new TamOptions { AnswerRelevanceWherePredicted = true };

        var token = ActivationMaps.Compute(trace, options).Answer[1];

        var answerStart = ids.Length - 2;
        var row = trace.OutputRows.Slice(trace.OutputIds.IndexOf(5) * HiddenSize, HiddenSize).ToArray();
        var predicting = trace.HiddenStates[((answerStart - 1) * HiddenSize)..(answerStart * HiddenSize)].ToArray();
        var relevance = Math.Max(0, row.Zip(predicting, (w, h) => (double)w * h).Sum());
        var (minimum, maximum) = token.RawRange;
        Assert.Equal(relevance, minimum + token.Token.TextRelevance[^1] * (maximum - minimum), 5);
    }

    [Fact]
    public void Compute_NonFiniteState_NamesThePosition()
    {
        int[] ids = [.. User([1, .. Image(6), 2]), .. Generated(4)];
        var trace = Create(
            ids,
            [Patches],
            candidates:
            [
                [],
            ]
        );
        MemoryMarshal.AsMemory(trace.HiddenStates).Span[5 * HiddenSize + 3] = float.NaN;

        Assert.Contains(
            "position 5",
            Assert.Throws<TraceFormatException>(() => ActivationMaps.Compute(trace)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(1)]
    public void Compute_WrongNumberOfRows_Throws(int surplus)
    {
        int[] ids = [.. User([1, .. Image(6), 2]), .. Generated(4)];

        var exception = Assert.Throws<TraceFormatException>(() =>
            ActivationMaps.Compute(
                Create(
                    ids,
                    [Patches],
                    candidates:
                    [
                        [],
                    ],
                    rowCount: ids.Length + surplus
                )
            )
        );

        Assert.Contains(
            $"{ids.Length + surplus} rows for {ids.Length} tokens",
            exception.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Compute_OptionOutOfRange_Throws()
    {
        var trace = Create([.. User(1), .. Assistant(4)]);
        Assert.All(
            (TamOptions[])
                [
                    new() { KernelSize = 4 },
                    new() { KernelSize = 11 },
                    new() { EciStrength = 1.5f },
                    new() { EciStrength = float.NaN },
                    new() { MergeSize = -1 },
                    new() { TemporalMergeSize = 0 },
                ],
            options => Assert.Throws<InvalidInputException>(() => ActivationMaps.Compute(trace, options))
        );
    }

    [Fact]
    public void Compute_TextOnly_GivesTextRelevanceAlone()
    {
        var maps = ActivationMaps.Compute(Create([.. User(1, 2, 3), .. Assistant(4, 5)]));

        Assert.All(maps.Answer, token => Assert.Empty(token.Token.VisionMaps));
        Assert.Equal(1, maps.Answer[1].Token.TextRelevance.Max());
    }

    [Fact]
    public void Compute_Cancelled_Throws()
    {
        using var engine = new ReferenceEngine();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            ActivationMaps.Compute(
                Create([.. User(1, 2, 3), .. Assistant(4, 5)]),
                null,
                engine,
                new CancellationToken(canceled: true)
            )
        );
    }

    private static void AssertSame(ExplainedToken expected, ExplainedToken actual)
    {
        Assert.Equal(expected.TokenId, actual.TokenId);
        FloatAssert.Equal(expected.TextRelevance.AsSpan(), actual.TextRelevance.AsSpan(), 0, "text");
        foreach (var (one, other) in expected.VisionMaps.Zip(actual.VisionMaps))
        {
            Assert.Equal(one?.Grid, other?.Grid);
            FloatAssert.Equal((one?.Values ?? default).Span, (other?.Values ?? default).Span, 0, "map");
        }
    }
}
