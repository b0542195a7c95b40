using Tamx.Kernels;

namespace Tamx;

/// <summary>One run of the method: from a trace and its layout to the engine's problem, and from the engine's maps to the result.</summary>
/// <remarks>
/// Token ids are replaced by their index in <see cref="Trace.OutputIds"/> ("row") from the start. A token that a step holds several times
/// (the answer token is usually its own first candidate) is computed once.
/// </remarks>
internal sealed class MapComputation
{
    /// <summary>Relevance that sums to no more than this gives no weights.</summary>
    private const double NegligibleRelevance = 1e-8;

    private readonly Trace _trace;
    private readonly SequenceLayout _layout;
    private readonly TamOptions _options;
    private readonly ITamEngine _engine;
    private readonly CancellationToken _cancellationToken;

    /// <summary>Per step the distinct rows to explain, the answer token's first.</summary>
    private readonly int[][] _explainedRows;

    /// <summary>Context positions, then answer positions less the last: the text before answer token i are the first ContextCount + i.</summary>
    private readonly int[] _textPositions;

    /// <summary>Per text position its token's row.</summary>
    private readonly int[] _textRows;

    /// <summary>Per text position the row whose map represents the token as context.</summary>
    private readonly int[] _contextRows;

    /// <summary>Per row a number that repeated words share.</summary>
    private readonly int[] _words;

    public MapComputation(Trace trace, SequenceLayout layout, TamOptions options, ITamEngine engine, CancellationToken cancellationToken)
    {
        _trace = trace;
        _layout = layout;
        _options = options;
        _engine = engine;
        _cancellationToken = cancellationToken;
        if (trace.AnswerProbabilities is { } probabilities && probabilities.Length != AnswerCount)
        {
            throw trace.Fault($"tamx.answer_probabilities has {probabilities.Length} values for {AnswerCount} answer tokens");
        }

        _explainedRows = [.. Enumerable.Range(0, AnswerCount).Select(ExplainedRows)];
        _textPositions = [.. layout.ContextPositions, .. layout.AnswerPositions.SkipLast(1)];
        _textRows = Array.ConvertAll(_textPositions, RowAt);
        _contextRows = ContextRows();
        _words = WordNumbers();
    }

    private int AnswerCount => _layout.AnswerPositions.Count;

    private int ContextCount => _layout.ContextPositions.Count;

    public ActivationMaps Run()
    {
        var relevance = ProjectText();
        var blocks = VisibleBlocks();
        int[] usedRows = [.. _explainedRows.SelectMany(rows => rows).Concat(_contextRows).Distinct().Order()];
        var maps = new List<TamMap>();
        var ranges = new List<ValueRange>();
        var firstRanges = new int[AnswerCount];
        for (int i = 0; i < AnswerCount; i++)
        {
            firstRanges[i] = ranges.Count;
            for (int k = 0; k < _explainedRows[i].Length; k++)
            {
                if (k == 0 || !_options.NormalizeWithCandidates)
                {
                    ranges.Add(ValueRange.Empty);
                }

                ranges[^1] = ranges[^1].Include(TextRelevance(relevance, i, k));
                int used = Array.BinarySearch(usedRows, _explainedRows[i][k]);
                for (int b = 0; b < blocks.Length && IsVisible(b, i); b++)
                {
                    maps.Add(new TamMap(b, used, ranges.Count - 1));
                }
            }
        }

        float[] weights = Weights(relevance, usedRows, maps.Count);
        ValueRange[] finalRanges = [.. ranges];
        var problem = new TamProblem
        {
            HiddenSize = _trace.HiddenSize,
            CellStates = GatherStates(_layout.VisionBlocks.Take(blocks.Length).SelectMany(block => Enumerable.Range(block.FirstCellPosition, block.CellCount))),
            OutputRows = GatherRows(usedRows),
            Blocks = blocks,
            Maps = maps.ToArray(),
            Weights = weights,
            RangeCount = finalRanges.Length,
            EciStrength = _options.ApplyEci ? _options.EciStrength : 0,
            KernelSize = _options.ApplyFilter ? _options.KernelSize : 1,
            ConstantWindow = _options.ConstantWindow,
            NormalizeBeforeFilter = _options.NormalizeBeforeFilter,
        };
        long valueCount = maps.Sum(map => (long)blocks[map.Block].CellCount);
        var values = new float[valueCount <= Array.MaxLength ? valueCount : throw TooLarge()];
        _engine.Compute(problem, values, finalRanges, _cancellationToken);
        return Assemble(relevance, values, finalRanges, firstRanges);
    }

    private int[] ExplainedRows(int step)
    {
        int answer = RowAt(_layout.AnswerPositions[step]);
        return _trace.CandidateIds is { } candidates ? [.. candidates[step].Select(id => FindRow(id)).Prepend(answer).Distinct()] : [answer];
    }

    private int FindRow(int id) => Array.BinarySearch(_trace.OutputIds, id);

    private int RowAt(int position)
    {
        int row = FindRow(_trace.TokenIds[position]);
        return row >= 0
            ? row
            : throw _trace.Fault($"lm_head_ids lacks the id {_trace.TokenIds[position]} at position {position}; the rows of all text tokens are needed");
    }

    private int[] ContextRows()
    {
        int[] rows = [.. _textRows];
        if (_options.StandInContextMaps)
        {
            if (ContextCount > 0)
            {
                rows[0] = StrongestRow(_textPositions[0]);
            }

            if (rows.Length > ContextCount)
            {
                rows[ContextCount] = RowAt(_textPositions[ContextCount] - 1);
            }
        }

        return rows;
    }

    private int StrongestRow(int position) => Enumerable.Range(0, _trace.OutputIds.Length).MaxBy(row => Logit(row, position));

    private int[] WordNumbers()
    {
        int[] numbers = [.. Enumerable.Range(0, _trace.OutputIds.Length)];
        if (_options.RepeatedWords != RepeatedWords.ById && _trace.OutputTexts is { } texts)
        {
            var known = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (int row in numbers)
            {
                string word = Word(texts[row]);
                if (!known.TryAdd(word, row))
                {
                    numbers[row] = known[word];
                }
            }
        }

        return numbers;
    }

    /// <summary>A token's text as repeated words are told by; a part of a character stands for itself.</summary>
    private string Word(byte[] text)
    {
        string bytes = "bytes:" + Convert.ToHexString(text);
        if (_options.RepeatedWords == RepeatedWords.ByText || !System.Text.Unicode.Utf8.IsValid(text))
        {
            return bytes;
        }

        string folded = System.Text.Encoding.UTF8.GetString(text).Trim().ToLowerInvariant();
        return folded.Length == 0 ? bytes : "text:" + folded;
    }

    /// <summary>r: per explained row, the relevance of every text position.</summary>
    private Dictionary<int, float[]> ProjectText()
    {
        int[] rows = [.. _explainedRows.SelectMany(step => step).Distinct()];
        float[] states = GatherStates(_textPositions.Select(StatePosition));
        if ((long)rows.Length * _textPositions.Length > Array.MaxLength)
        {
            throw TooLarge();
        }

        var values = new float[rows.Length * _textPositions.Length];
        _engine.Project(states, GatherRows(rows), _trace.HiddenSize, values, _cancellationToken);
        return rows.Index().ToDictionary(
            pair => pair.Item,
            pair => values[(pair.Index * _textPositions.Length)..((pair.Index + 1) * _textPositions.Length)]);
    }

    /// <summary>The position whose hidden state speaks for a text position: its own, or the one that predicted it.</summary>
    private int StatePosition(int position) =>
        _options.AnswerRelevanceWherePredicted && position >= _layout.AnswerPositions[0] ? position - 1 : position;

    private ReadOnlySpan<float> TextRelevance(Dictionary<int, float[]> relevance, int step, int explained) =>
        relevance[_explainedRows[step][explained]].AsSpan(0, ContextCount + step);

    /// <summary>The blocks that at least one answer token comes after; blocks stand in order, so they are the first ones.</summary>
    private TamBlock[] VisibleBlocks()
    {
        var blocks = new List<TamBlock>();
        int cell = 0;
        foreach (var block in _layout.VisionBlocks.TakeWhile(block => block.EndPosition < _layout.AnswerPositions[^1]))
        {
            blocks.Add(new TamBlock(cell, block.Grid.Frames, block.Grid.Rows, block.Grid.Columns));
            cell += block.CellCount;
        }

        return [.. blocks];
    }

    private bool IsVisible(int block, int step) => _layout.VisionBlocks[block].EndPosition < _layout.AnswerPositions[step];

    /// <summary>Q: per map, in the order of the maps, the weight of every used row.</summary>
    private float[] Weights(Dictionary<int, float[]> relevance, int[] usedRows, int mapCount)
    {
        if (!_options.ApplyEci || _options.EciStrength == 0)
        {
            return [];
        }

        if ((long)mapCount * usedRows.Length > Array.MaxLength)
        {
            throw TooLarge();
        }

        int[] contextColumns = Array.ConvertAll(_contextRows, row => Array.BinarySearch(usedRows, row));
        var weights = new float[mapCount * usedRows.Length];
        var rest = weights.AsSpan();
        for (int i = 0; i < AnswerCount; i++)
        {
            for (int k = 0; k < _explainedRows[i].Length; k++)
            {
                var scores = TextRelevance(relevance, i, _options.CandidatesOwnWeights ? k : 0);
                for (int b = 0; b < _layout.VisionBlocks.Count && IsVisible(b, i); b++)
                {
                    FillWeights(scores, _layout.VisionBlocks[b].EndPosition, _explainedRows[i][k], contextColumns, rest[..usedRows.Length]);
                    rest = rest[usedRows.Length..];
                }
            }
        }

        return weights;
    }

    /// <summary>One row of Q: the text after the block, less the explained word, weighted by relevance.</summary>
    private void FillWeights(ReadOnlySpan<float> scores, int blockEnd, int explainedRow, int[] contextColumns, Span<float> weights)
    {
        double sum = 0;
        int count = 0;
        for (int j = 0; j < scores.Length; j++)
        {
            if (IsContext(j, blockEnd, explainedRow))
            {
                sum += scores[j];
                count++;
            }
        }

        bool isRelevant = sum > NegligibleRelevance;
        if (count == 0 || (!isRelevant && !_options.UniformWeightsWithoutRelevance))
        {
            return;
        }

        for (int j = 0; j < scores.Length; j++)
        {
            if (IsContext(j, blockEnd, explainedRow))
            {
                weights[contextColumns[j]] += (float)(isRelevant ? scores[j] / sum : 1.0 / count);
            }
        }
    }

    private bool IsContext(int textIndex, int blockEnd, int explainedRow) =>
        _textPositions[textIndex] > blockEnd && _words[_textRows[textIndex]] != _words[explainedRow];

    private float[] GatherStates(IEnumerable<int> positions) => Gather(_trace.HiddenStates, positions);

    private float[] GatherRows(IEnumerable<int> rows) => Gather(_trace.OutputRows, rows);

    private float[] Gather(float[] matrix, IEnumerable<int> rows)
    {
        int size = _trace.HiddenSize;
        int[] indices = [.. rows];
        var gathered = new float[indices.Length * size];
        for (int i = 0; i < indices.Length; i++)
        {
            matrix.AsSpan(indices[i] * size, size).CopyTo(gathered.AsSpan(i * size));
        }

        return gathered;
    }

    /// <summary>w . h, float64 sum in index order.</summary>
    private float Logit(int row, int position)
    {
        int size = _trace.HiddenSize;
        var output = _trace.OutputRows.AsSpan(row * size, size);
        var state = _trace.HiddenStates.AsSpan(position * size, size);
        double sum = 0;
        for (int d = 0; d < size; d++)
        {
            sum += (double)output[d] * state[d];
        }

        return (float)sum;
    }

    private ActivationMaps Assemble(Dictionary<int, float[]> relevance, float[] values, ValueRange[] ranges, int[] firstRanges)
    {
        var answer = new List<AnswerToken>(AnswerCount);
        int offset = 0;
        for (int i = 0; i < AnswerCount; i++)
        {
            int position = _layout.AnswerPositions[i];
            var explained = new Dictionary<int, ExplainedToken>();
            for (int k = 0; k < _explainedRows[i].Length; k++)
            {
                var range = ranges[firstRanges[i] + (_options.NormalizeWithCandidates ? 0 : k)];
                float[] text = [.. TextRelevance(relevance, i, k)];
                range.Normalize(text);
                explained[_explainedRows[i][k]] = new ExplainedToken
                {
                    TokenId = _trace.OutputIds[_explainedRows[i][k]],
                    Logit = Logit(_explainedRows[i][k], position - 1),
                    Probability = float.NaN,
                    VisionMaps = SliceMaps(values, i, ref offset),
                    TextRelevance = text,
                    RawRange = range.IsEmpty ? (0, 0) : (range.Minimum, range.Maximum),
                };
            }

            var token = WithProbability(explained[_explainedRows[i][0]], _trace.AnswerProbabilities?[i]);
            answer.Add(new AnswerToken
            {
                Position = position,
                Token = token,
                Candidates =
                [
                    .. (_trace.CandidateIds?[i] ?? []).Select((id, c) => WithProbability(explained[FindRow(id)], _trace.CandidateProbabilities?[i][c])),
                ],
                TextPositions = _textPositions[..(ContextCount + i)],
                RawRange = token.RawRange,
            });
        }

        return new ActivationMaps { Layout = _layout, Options = _options, EngineName = _engine.Name, Answer = answer, Words = Words(answer) };
    }

    private IReadOnlyList<ExplainedWord> Words(List<AnswerToken> answer)
    {
        if (_trace.OutputTexts is not { } texts)
        {
            return [];
        }

        byte[][] tokens = [.. answer.Select(token => texts[FindRow(token.Token.TokenId)])];
        return [.. AnswerWord.Group(tokens).Select(word => ExplainedWord.Join(word, answer, _options.WordMaps))];
    }

    private float[]?[] SliceMaps(float[] values, int step, ref int offset)
    {
        var maps = new float[_layout.VisionBlocks.Count][];
        for (int b = 0; b < maps.Length && IsVisible(b, step); b++)
        {
            int length = _layout.VisionBlocks[b].CellCount;
            maps[b] = values[offset..(offset + length)];
            offset += length;
        }

        return maps;
    }

    /// <summary>The same token, maps and all, with what its place in the step says of its probability.</summary>
    private static ExplainedToken WithProbability(ExplainedToken token, float? probability) => new()
    {
        TokenId = token.TokenId,
        Logit = token.Logit,
        Probability = probability ?? float.NaN,
        VisionMaps = token.VisionMaps,
        TextRelevance = token.TextRelevance,
        RawRange = token.RawRange,
    };

    private TraceFormatException TooLarge() =>
        _trace.Fault($"{AnswerCount} answer tokens with their candidates over {_layout.VisionBlocks.Count} vision blocks are too many maps for one run; use fewer candidates");
}
