using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Tamx.Kernels;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

/// <summary>Token by token gives what all at once gives.</summary>
public class MapStreamTests
{
    public static TheoryData<string, TamProfile> CasesAndProfiles
    {
        get
        {
            var data = new TheoryData<string, TamProfile>();
            foreach (var name in TamxFixture.FindNames())
            {
                foreach (var profile in Enum.GetValues<TamProfile>())
                {
                    data.Add(name, profile);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndProfiles))]
    public void Next_ReferenceFixture_EqualsTheWholeAnswerBitForBit(string name, TamProfile profile)
    {
        using var fixture = new TamxFixture(name);
        using var engine = new ReferenceEngine();
        var trace = AsGenerated(fixture.Load());
        var options = TamOptions.ForProfile(profile) with
        {
            ApplyEci = fixture.Options.ApplyEci,
            ApplyFilter = fixture.Options.ApplyFilter,
        };

        var whole = ActivationMaps.Compute(trace, options, engine);
        var (stream, answer) = Stream(trace, options, engine);

        AssertSame(whole.Prompt, stream.Prompt.Prompt, 0);
        AssertSame(whole.Answer, answer, 0);
    }

    public static TheoryData<string> Engines => TestEngines.Names;

    [Theory]
    [MemberData(nameof(Engines))]
    public void Next_EveryEngine_EqualsTheWholeAnswerWithinItsTolerance(string kind)
    {
        using var engine = TamEngines.Create(kind);
        using var fixture = new TamxFixture("generate_top3");
        var trace = fixture.Load();

        AssertSame(
            ActivationMaps.Compute(trace, fixture.Options, engine).Answer,
            Stream(trace, fixture.Options, engine).Answer,
            2e-6
        );
    }

    [Fact]
    public void Next_TextOnly_GivesTextRelevance()
    {
        int[] ids = [.. User(1, 2, 3), .. Generated(4, 5)];
        var trace = Create(
            ids,
            candidates:
            [
                [4],
                [6],
            ]
        );
        using var engine = new ReferenceEngine();

        AssertSame(
            ActivationMaps.Compute(trace, engine: engine).Answer,
            Stream(trace, new TamOptions(), engine).Answer,
            0
        );
    }

    /// <summary>
    /// What is projected on the cells is each context token once and then each token's own rows: nothing of the earlier
    /// answer again.
    /// </summary>
    [Fact]
    public void Next_LongAnswer_ProjectsOnlyTheNewRows()
    {
        int[] answer = [.. Enumerable.Range(100, 20)];
        int[] ids = [.. User([1, .. Image(CountingEngine.CellCount), 2, 3]), .. Generated(answer)];
        var trace = Create(ids, [new(1, 10, 14)], candidates: [.. answer.Select(id => new[] { id, id + 500 })]);
        using var engine = new CountingEngine();

        var stream = new MapStream(Prefix(trace), new TamOptions(), engine);
        Next(stream, trace, 0);
        Assert.Equal(3 + 2, engine.CellRowCount);
        for (var i = 1; i < answer.Length; i++)
        {
            engine.CellRowCount = 0;
            Next(stream, trace, i);
            Assert.Equal(2, engine.CellRowCount);
        }
    }

    [Fact]
    public void Next_NonFiniteState_NamesThePosition()
    {
        int[] ids = [.. User([1, .. Image(6), 2, 3]), .. Generated(4, 5)];
        var trace = Create(
            ids,
            [new(1, 4, 6)],
            candidates:
            [
                [],
                [],
            ]
        );
        using var engine = new ReferenceEngine();
        var stream = new MapStream(Prefix(trace), new TamOptions(), engine);
        Next(stream, trace, 0);
        MemoryMarshal.AsMemory(trace.HiddenStates).Span[^1] = float.NaN;

        Assert.Contains(
            $"position {ids.Length - 2}",
            Assert.Throws<TraceFormatException>(() => Next(stream, trace, 1)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>A trace in encode mode as if its answer had been generated.</summary>
    private static Trace AsGenerated(Trace trace)
    {
        if (trace.CandidateIds is not null)
        {
            return trace;
        }

        var answer = trace.ParseLayout().AnswerPositions;
        return Cut(
            trace,
            answer[^1] + 1,
            answer[^1],
            trace.OutputIds,
            [.. answer.Select(_ => ImmutableArray<int>.Empty)]
        );
    }

    /// <summary>
    /// The prompt, with the rows that it needs; all rows where the paper's slip looks for the strongest.
    /// </summary>
    private static Trace Prefix(Trace trace, bool allRows = false)
    {
        var length = trace.TokenIds.Length - trace.CandidateIds!.Count;
        var ids = allRows ? trace.OutputIds : [.. trace.OutputIds.Intersect(trace.TokenIds[..length])];
        return Cut(trace, length, length, ids, null);
    }

    private static Trace Cut(
        Trace trace,
        int length,
        int rowCount,
        ImmutableArray<int> outputIds,
        IReadOnlyList<ImmutableArray<int>>? candidates
    ) =>
        new()
        {
            TokenIds = trace.TokenIds[..length],
            HiddenSize = trace.HiddenSize,
            HiddenStates = trace.HiddenStates[..(rowCount * trace.HiddenSize)],
            OutputIds = outputIds,
            OutputRows = outputIds.SelectMany(id => new TraceRows(trace).RowOf(id).ToArray()).ToArray(),
            OutputTexts = trace.OutputTexts is null ? null : [.. outputIds.Select(id => trace.FindBytes(id)!.Value)],
            ImageGrids = trace.ImageGrids,
            VideoGrids = trace.VideoGrids,
            CandidateIds = candidates,
        };

    private static (MapStream Stream, List<AnswerToken> Answer) Stream(
        Trace trace,
        TamOptions options,
        ITamEngine engine
    )
    {
        var stream = new MapStream(Prefix(trace, options.StandInContextMaps), options, engine);
        List<AnswerToken> answer = [];
        for (var i = 0; i < trace.CandidateIds!.Count; i++)
        {
            answer.Add(Next(stream, trace, i));
        }

        return (stream, answer);
    }

    [Fact]
    public void Next_TextBeyondTheBound_EqualsTheWholeAnswer()
    {
        var random = new Random(4);
        int[] answer = [20, 21, 22, 20];
        var trace = Create(
            [
                .. User([.. Image(4), .. Enumerable.Range(0, 4094).Select(_ => 100 + random.Next(50))]),
                .. Generated(answer),
            ],
            [new PatchGrid(1, 4, 4)],
            candidates: [.. answer.Select(id => (int[])[id, 30])]
        );
        using var engine = new ReferenceEngine();

        var options = new TamOptions();
        var whole = ActivationMaps.Compute(trace, options, engine);

        Assert.Equal([true, true, true, false], whole.Answer.Select(token => token.TextPositions.Count > 512));
        AssertSame(whole.Answer, Stream(trace, options, engine).Answer, 0);
    }

    private static AnswerToken Next(MapStream stream, Trace trace, int index)
    {
        var position = trace.TokenIds.Length - trace.CandidateIds!.Count + index;
        return stream.Next(
            trace.TokenIds[position],
            float.NaN,
            trace.CandidateIds[index],
            null,
            new TraceRows(trace).StatesOf(position - 1, 1).ToArray(),
            new TraceRows(trace).StatesOf(position - 1, 1).ToArray(),
            id => (new TraceRows(trace).RowOf(id).ToArray(), trace.FindBytes(id))
        );
    }

    private static void AssertSame(
        IReadOnlyList<AnswerToken> expected,
        IReadOnlyList<AnswerToken> actual,
        double tolerance
    )
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Position, other.Position);
            Assert.Equal(one.TextPositions, other.TextPositions);
            Assert.Equal(one.Candidates.Count, other.Candidates.Count);
            foreach (var (a, b) in one.Candidates.Prepend(one.Token).Zip(other.Candidates.Prepend(other.Token)))
            {
                Assert.Equal((a.TokenId, a.Logit), (b.TokenId, b.Logit));
                FloatAssert.Equal(
                    a.TextRelevance.AsSpan(),
                    b.TextRelevance.AsSpan(),
                    tolerance,
                    $"text at {one.Position}"
                );
                Assert.Equal(a.VisionMaps.Select(map => map?.Grid), b.VisionMaps.Select(map => map?.Grid));
                foreach (var (x, y) in a.VisionMaps.Zip(b.VisionMaps))
                {
                    FloatAssert.Equal(
                        (x?.Values ?? default).Span,
                        (y?.Values ?? default).Span,
                        tolerance,
                        $"map at {one.Position}"
                    );
                }
            }
        }
    }

    /// <summary>
    /// The reference, counting the rows that are projected on the cells of the only block; there are more of them than
    /// text tokens.
    /// </summary>
    private sealed class CountingEngine : ITamEngine
    {
        public const int CellCount = 35;

        private readonly ReferenceEngine _reference = new();

        public int CellRowCount { get; set; }

        public EngineKind Kind => EngineKind.Reference;

        public string Name => "counting";

        public void Project(
            ReadOnlySpan<float> states,
            ReadOnlySpan<float> outputRows,
            int hiddenSize,
            Span<float> destination,
            CancellationToken cancellationToken = default
        )
        {
            _reference.Project(states, outputRows, hiddenSize, destination, cancellationToken);
            if (states.Length == CellCount * hiddenSize)
            {
                CellRowCount += outputRows.Length / hiddenSize;
            }
        }

        public void Compute(
            in TamProblem problem,
            Span<float> maps,
            Span<ValueRange> ranges,
            CancellationToken cancellationToken = default
        ) => throw new InvalidOperationException("Token by token nothing is computed from scratch.");

        public void Refine(
            in TamProblem problem,
            ReadOnlySpan<float> activations,
            int cellCount,
            Span<float> maps,
            Span<ValueRange> ranges,
            CancellationToken cancellationToken = default
        ) => _reference.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);

        public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("Maps need no vocabulary.");

        public void Dispose() => _reference.Dispose();
    }
}
