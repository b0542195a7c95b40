using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Tamx.Kernels;

namespace Tamx;

/// <summary>A token to explain.</summary>
/// <param name="Position">Its position.</param>
/// <param name="EarlierCount">Number of text entries before it, which may interfere.</param>
/// <param name="TextCount">Number of text entries that it has relevance for and is normalised with.</param>
/// <param name="TokenId">Its id.</param>
/// <param name="MapId">The id whose maps it gets: its own, except for a slip in the paper's code.</param>
/// <param name="Probability">Its probability, or NaN.</param>
/// <param name="CandidateIds">The step's candidates, best first.</param>
/// <param name="CandidateProbabilities">Their probabilities, or null.</param>
internal sealed record ExplainedStep(
    int Position,
    int EarlierCount,
    int TextCount,
    int TokenId,
    int MapId,
    float Probability,
    IReadOnlyList<int> CandidateIds,
    IReadOnlyList<float>? CandidateProbabilities
)
{
    /// <summary>The ids to compute, each once. The answer token is usually its own first candidate.</summary>
    public int[] MapIds { get; } = [.. CandidateIds.Prepend(MapId).Distinct()];
}

/// <summary>Turns a run's rows into the engine's problem, and the engine's maps into explained tokens.</summary>
/// <remarks>
/// It works on a whole answer at once, in slices of bounded size, where the engine does everything. Or it works token
/// by token. Then it keeps the activations of the text so far, and a token costs the products of its own rows and the
/// sums over that text. Both ways give the same bits with the reference engine. With another engine they differ within
/// its tolerance. The cells' hidden states are not copied.
/// </remarks>
internal sealed class MapComputation
{
    /// <summary>
    /// A token has relevance for all of a text of so many entries. Of a longer one it keeps the greatest, so that a
    /// long answer takes memory in proportion to its length.
    /// </summary>
    private const int MostText = 4096;

    /// <summary>Entries that a token keeps of a longer text, with those of its candidates.</summary>
    private const int KeptText = 512;

    /// <summary>About what a map takes besides its values.</summary>
    private const int MapOverheadBytes = 100;

    private readonly IRunRows _run;
    private readonly ContextText _text;
    private readonly TamOptions _options;
    private readonly ITamEngine _engine;
    private readonly int _allBlocks;

    /// <summary>The blocks before at least one answer token. Blocks stand in order, so these come first.</summary>
    private readonly VisionBlock[] _blocks;

    /// <summary>Cells of the first blocks, for each number of them.</summary>
    private readonly long[] _cellsOfFirst;

    /// <summary>Where the method has scores by position in place of products; null for TAM.</summary>
    private readonly PositionScores? _scores;

    /// <summary>A by token id, kept from token to token. The cells of the blocks stand one after another.</summary>
    private readonly Dictionary<int, float[]>? _activations;

    public MapComputation(
        IRunRows run,
        SequenceLayout layout,
        ContextText text,
        TamOptions options,
        ITamEngine engine,
        bool keepsActivations,
        PositionScores? scores = null
    )
    {
        _run = run;
        _text = text;
        _options = scores is null ? options : options with { ApplyEci = false };
        _engine = engine;
        _scores = scores;
        _activations = keepsActivations || scores is not null ? [] : null;
        _allBlocks = layout.VisionBlocks.Count;
        _blocks =
        [
            .. layout.VisionBlocks.TakeWhile(block =>
                layout.AnswerPositions is not [.., var last] || block.EndPosition < last
            ),
        ];
        _cellsOfFirst = new long[_blocks.Length + 1];
        for (var b = 0; b < _blocks.Length; b++)
        {
            _cellsOfFirst[b + 1] = _cellsOfFirst[b] + _blocks[b].CellCount;
        }
    }

    /// <summary>Explains tokens. The text that they have relevance for must have been entered.</summary>
    public AnswerToken[] Explain(IReadOnlyList<ExplainedStep> steps, CancellationToken cancellationToken)
    {
        RequireRoom(steps);
        var explained = new List<AnswerToken>(steps.Count);
        while (explained.Count < steps.Count)
        {
            explained.AddRange(ExplainSlice(NextSlice(steps, explained.Count), cancellationToken));
        }

        GC.KeepAlive(_run);
        return [.. explained];
    }

    /// <summary>The steps from one on whose maps, relevance and weights fit the engine's working memory.</summary>
    private List<ExplainedStep> NextSlice(IReadOnlyList<ExplainedStep> steps, int first)
    {
        List<ExplainedStep> slice = [];
        HashSet<int> ids = [];
        long values = 0;
        for (var i = first; i < steps.Count; i++)
        {
            var step = steps[i];
            var blocks = VisibleBlocks(step);
            values += step.MapIds.Length * (_cellsOfFirst[blocks] + ((long)blocks * _text.MapIdCount));
            values += step.MapIds.Count(ids.Add) * (long)step.TextCount;
            if (slice.Count > 0 && (_scores is not null || sizeof(float) * values > _engine.MaxWorkingBytes))
            {
                break;
            }

            slice.Add(step);
        }

        return slice;
    }

    /// <summary>Refuses a run whose maps would not fit the machine's memory.</summary>
    private void RequireRoom(IReadOnlyList<ExplainedStep> steps)
    {
        Int128 bytes = 0;
        foreach (var step in steps)
        {
            var blocks = VisibleBlocks(step);
            bytes +=
                step.MapIds.Length
                * ((sizeof(float) * (Int128)_cellsOfFirst[blocks]) + ((Int128)blocks * MapOverheadBytes));
        }

        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available / 4 * 3)
        {
            throw new InvalidInputException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the maps of {steps.Count:N0} tokens with their candidates would take {(double)bytes / 1e9:N1} GB, and {available / 1e9:N1} GB of memory are available; use fewer candidates, a shorter answer or smaller pictures"
                )
            );
        }
    }

    /// <summary>How many blocks stand before a step's token.</summary>
    private int VisibleBlocks(ExplainedStep step)
    {
        var (low, high) = (0, _blocks.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _blocks[middle].EndPosition < step.Position ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private AnswerToken[] ExplainSlice(List<ExplainedStep> steps, CancellationToken cancellationToken)
    {
        var textCount = steps.Max(step => step.TextCount);
        var relevance = _scores is null
            ? ProjectText(steps, textCount, cancellationToken)
            : ReadScores(steps[0], _scores);
        int[] usedIds =
        [
            .. steps
                .SelectMany(step => step.MapIds)
                .Concat(_scores is null ? Enumerable.Range(0, textCount).Select(_text.MapIdAt) : [])
                .Distinct()
                .Order(),
        ];
        var maps = new List<TamMap>();
        var ranges = new List<ValueRange>();
        var firstRanges = new int[steps.Count];
        for (var i = 0; i < steps.Count; i++)
        {
            firstRanges[i] = ranges.Count;
            var blocks = VisibleBlocks(steps[i]);
            foreach (var id in steps[i].MapIds)
            {
                if (ranges.Count == firstRanges[i] || !_options.NormalizeWithCandidates)
                {
                    ranges.Add(ValueRange.Empty);
                }

                ranges[^1] = ranges[^1].Include(relevance[id].RangeOf(steps[i].TextCount));
                var used = Array.BinarySearch(usedIds, id);
                for (var b = 0; b < blocks; b++)
                {
                    maps.Add(new TamMap(b, used, ranges.Count - 1));
                }
            }
        }

        var weights = Weights(steps, relevance, usedIds, textCount, maps.Count);
        var finalRanges = ranges.ToArray();
        var valueCount = Bounded(maps.Sum(map => (long)_blocks[map.Block].CellCount));
        var values = ArrayPool<float>.Shared.Rent(valueCount);
        try
        {
            Refine(usedIds, maps.ToArray(), weights, values.AsSpan(0, valueCount), finalRanges, cancellationToken);
            RequireFinite(finalRanges);
            DropCandidates(steps);
            var explained = new AnswerToken[steps.Count];
            var offset = 0;
            for (var i = 0; i < explained.Length; i++)
            {
                explained[i] = Assemble(steps[i], relevance, values, ref offset, finalRanges.AsSpan(firstRanges[i]));
            }

            return explained;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(values);
        }
    }

    /// <summary>Refuses finite states and rows whose products are not.</summary>
    private static void RequireFinite(ValueRange[] ranges)
    {
        if (ranges.Any(range => !range.IsEmpty && !(float.IsFinite(range.Minimum) && float.IsFinite(range.Maximum))))
        {
            throw new InvalidInputException(
                "the products of hidden states and output-embedding rows leave the range of float32; the trace's values are too large to be a model's"
            );
        }
    }

    private static InvalidInputException TooLarge() =>
        new(
            "the answer's tokens with their candidates are too many maps over too many cells for one run; use fewer candidates or smaller pictures"
        );

    private static int Bounded(long length) => length <= Array.MaxLength ? (int)length : throw TooLarge();

    private float[] Gather(int[] indices, Func<int, ReadOnlySpan<float>> rowOf)
    {
        var size = _run.HiddenSize;
        var gathered = new float[Bounded((long)indices.Length * size)];
        for (var i = 0; i < indices.Length; i++)
        {
            rowOf(indices[i]).CopyTo(gathered.AsSpan(i * size));
        }

        return gathered;
    }

    /// <summary>A token's scores: those of the text as its relevance, those of the cells as activations.</summary>
    private Dictionary<int, TextScores> ReadScores(ExplainedStep step, PositionScores source)
    {
        var relevance = new Dictionary<int, TextScores>();
        _activations!.Clear();
        foreach (var id in step.MapIds)
        {
            var scores = source.Of(step, id);
            var text = new float[step.TextCount];
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = scores[_text.PositionAt(i)];
            }

            relevance.Add(id, new TextScores(text));
            var cells = new float[_cellsOfFirst[^1]];
            for (var b = 0; b < VisibleBlocks(step); b++)
            {
                scores
                    .AsSpan(_blocks[b].FirstCellPosition, _blocks[b].CellCount)
                    .CopyTo(cells.AsSpan((int)_cellsOfFirst[b]));
            }

            _activations.Add(id, cells);
        }

        return relevance;
    }

    /// <summary>r: the relevance of each text entry for each explained id.</summary>
    private Dictionary<int, TextScores> ProjectText(
        IReadOnlyList<ExplainedStep> steps,
        int textCount,
        CancellationToken cancellationToken
    )
    {
        int[] ids = [.. steps.SelectMany(step => step.MapIds).Distinct()];
        var states = Gather([.. Enumerable.Range(0, textCount).Select(_text.StatePositionAt)], _run.StateAt);
        var values = new float[Bounded((long)ids.Length * textCount)];
        _engine.Project(states, Gather(ids, _run.RowOf), _run.HiddenSize, values, cancellationToken);
        return ids.Index()
            .ToDictionary(
                pair => pair.Item,
                pair => new TextScores(values.AsMemory(pair.Index * textCount, textCount))
            );
    }

    /// <summary>Q: the weight of each used id for each map, in the order of the maps.</summary>
    private float[] Weights(
        IReadOnlyList<ExplainedStep> steps,
        Dictionary<int, TextScores> relevance,
        int[] usedIds,
        int textCount,
        int mapCount
    )
    {
        if (!_options.ApplyEci || _options.EciStrength == 0)
        {
            return [];
        }

        int[] columns =
        [
            .. Enumerable.Range(0, textCount).Select(index => Array.BinarySearch(usedIds, _text.MapIdAt(index))),
        ];
        var weights = new float[Bounded((long)mapCount * usedIds.Length)];
        var rest = weights.AsSpan();
        foreach (var step in steps)
        {
            var blocks = _blocks.AsSpan(0, VisibleBlocks(step));
            foreach (var id in step.MapIds)
            {
                var scores = relevance[_options.CandidatesOwnWeights ? id : step.MapIds[0]].First(step.EarlierCount);
                _text.FillWeights(scores, blocks, id, columns, usedIds.Length, rest);
                rest = rest[(blocks.Length * usedIds.Length)..];
            }
        }

        return weights;
    }

    private void Refine(
        int[] usedIds,
        TamMap[] maps,
        float[] weights,
        Span<float> values,
        ValueRange[] ranges,
        CancellationToken cancellationToken
    )
    {
        var first = _blocks.Length == 0 ? 0 : _blocks[0].FirstCellPosition;
        var spanned = _blocks.Length == 0 ? 0 : _blocks[^1].EndPosition - first;
        var problem = new TamProblem
        {
            HiddenSize = _run.HiddenSize,
            CellStates = _activations is null ? _run.StatesOf(first, spanned) : [],
            OutputRows = _activations is null ? Gather(usedIds, _run.RowOf) : [],
            Blocks = _activations is null
                ? [.. _blocks.Select(block => AsProblem(block, block.FirstCellPosition - first))]
                : OneAfterAnother(),
            Maps = maps,
            Weights = weights,
            RangeCount = ranges.Length,
            EciStrength = _options.ApplyEci ? _options.EciStrength : 0,
            KernelSize = _options.ApplyFilter ? _options.KernelSize : 1,
            ConstantWindow = _options.ConstantWindow,
            NormalizeBeforeFilter = _options.NormalizeBeforeFilter,
        };
        if (_activations is null)
        {
            _engine.Compute(problem, values, ranges, cancellationToken);
            return;
        }

        var cellCount = _blocks.Sum(block => block.CellCount);
        KeepActivations([.. usedIds.Where(id => !_activations.ContainsKey(id))], cellCount, cancellationToken);
        var activations = new float[Bounded((long)usedIds.Length * cellCount)];
        foreach (var (index, id) in usedIds.Index())
        {
            _activations[id].CopyTo(activations, index * cellCount);
        }

        _engine.Refine(problem, activations, cellCount, values, ranges, cancellationToken);
    }

    private static TamBlock AsProblem(VisionBlock block, int firstCell) =>
        new(firstCell, block.Grid.Frames, block.Grid.Rows, block.Grid.Columns);

    private TamBlock[] OneAfterAnother()
    {
        var cell = 0;
        return [.. _blocks.Select(block => AsProblem(block, (cell += block.CellCount) - block.CellCount))];
    }

    /// <summary>Computes the activations of new ids, block by block.</summary>
    private void KeepActivations(int[] ids, int cellCount, CancellationToken cancellationToken)
    {
        var rows = Gather(ids, _run.RowOf);
        foreach (var id in ids)
        {
            _activations!.Add(id, new float[cellCount]);
        }

        var cell = 0;
        foreach (var block in _blocks)
        {
            var products = new float[Bounded((long)ids.Length * block.CellCount)];
            _engine.Project(
                _run.StatesOf(block.FirstCellPosition, block.CellCount),
                rows,
                _run.HiddenSize,
                products,
                cancellationToken
            );
            foreach (var (index, id) in ids.Index())
            {
                products.AsSpan(index * block.CellCount, block.CellCount).CopyTo(_activations![id].AsSpan(cell));
            }

            cell += block.CellCount;
        }
    }

    /// <summary>Keeps only ids of the text. Nothing reads the others again, and they would pile up.</summary>
    private void DropCandidates(IReadOnlyList<ExplainedStep> steps)
    {
        if (_activations is not null)
        {
            foreach (var step in steps)
            {
                foreach (var id in step.MapIds.Where(id => id != step.TokenId && !_text.HasMapId(id)))
                {
                    _activations.Remove(id);
                }
            }
        }
    }

    private AnswerToken Assemble(
        ExplainedStep step,
        Dictionary<int, TextScores> relevance,
        float[] values,
        ref int offset,
        ReadOnlySpan<ValueRange> ranges
    )
    {
        var explained = new Dictionary<int, ExplainedToken>();
        var kept = KeptEntries(step, relevance);
        for (var k = 0; k < step.MapIds.Length; k++)
        {
            var id = step.MapIds[k];
            var range = ranges[_options.NormalizeWithCandidates ? 0 : k];
            var scores = relevance[id].First(step.TextCount);
            var text = kept is null ? scores.ToArray() : Pick(scores, kept);
            range.Normalize(text);
            explained[id] = new ExplainedToken
            {
                TokenId = id,
                Logit = float.NaN,
                Probability = float.NaN,
                VisionMaps = SliceMaps(values, step, ref offset),
                TextRelevance = ImmutableCollectionsMarshal.AsImmutableArray(text),
                RawRange = range.IsEmpty ? (0, 0) : (range.Minimum, range.Maximum),
            };
        }

        var token = AtStep(explained[step.MapId], step.TokenId, step.Probability);
        return new AnswerToken
        {
            Position = step.Position,
            Token = token,
            Candidates =
            [
                .. step.CandidateIds.Select(
                    (id, c) => AtStep(explained[id], id, step.CandidateProbabilities?[c] ?? float.NaN)
                ),
            ],
            TextPositions = kept is null
                ? _text.FirstPositions(step.TextCount)
                : Array.ConvertAll(kept, _text.PositionAt),
            RawRange = token.RawRange,
        };

        ExplainedToken AtStep(ExplainedToken maps, int id, float probability) =>
            new()
            {
                TokenId = id,
                Text = TextOf(id),
                Logit = ContextText.Logit(_run, id, step.Position - 1),
                Probability = probability,
                VisionMaps = maps.VisionMaps,
                TextRelevance = maps.TextRelevance,
                RawRange = maps.RawRange,
            };
    }

    /// <summary>The text entries that a step keeps, ascending; null for all.</summary>
    private static int[]? KeptEntries(ExplainedStep step, Dictionary<int, TextScores> relevance)
    {
        if (step.TextCount <= MostText)
        {
            return null;
        }

        var share = KeptText / (step.CandidateIds.Count + 1);
        return [.. step.MapIds.SelectMany(id => relevance[id].GreatestOf(step.TextCount, share)).Distinct().Order()];
    }

    private static float[] Pick(ReadOnlySpan<float> values, int[] indices)
    {
        var picked = new float[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            picked[i] = values[indices[i]];
        }

        return picked;
    }

    private string? TextOf(int id) => _run.FindBytes(id) is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;

    private ActivationMap?[] SliceMaps(float[] values, ExplainedStep step, ref int offset)
    {
        var maps = new ActivationMap?[_allBlocks];
        var blocks = VisibleBlocks(step);
        for (var b = 0; b < blocks; b++)
        {
            var map = values.AsSpan(offset, _blocks[b].CellCount).ToArray();
            maps[b] = new ActivationMap(_blocks[b].Grid, map);
            offset += map.Length;
        }

        return maps;
    }
}
