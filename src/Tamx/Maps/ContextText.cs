using System.Text;
using Tamx.Kernels;

namespace Tamx;

/// <summary>The text that explains a token: the prompt's context, then the answer's tokens as they come.</summary>
/// <remarks>
/// The text before answer token i is the first <see cref="ContextCount"/> + i entries. The text before context token j
/// is the first j entries.
/// </remarks>
internal sealed class ContextText
{
    /// <summary>If the relevance sums to no more than this, it gives no weights.</summary>
    private const double NegligibleRelevance = 1e-8;

    private readonly TamOptions _options;
    private readonly IRunRows _run;
    private readonly int _answerStart;
    private readonly int _lastPromptId;
    private readonly List<Entry> _entries = [];
    private readonly HashSet<int> _mapIds = [];

    /// <summary>Positions of the entries, and room for more. Tokens share it, so nothing in it ever changes.</summary>
    private int[] _positions = [];

    /// <summary>By token id, a number that is the same for repeated words.</summary>
    private readonly Dictionary<int, int> _words = [];

    private readonly Dictionary<string, int> _wordsByText = new(StringComparer.Ordinal);

    /// <summary>Enters a layout's context. Answer tokens are added as they come.</summary>
    /// <param name="layout">Where the context stands.</param>
    /// <param name="tokenIds">The sequence, at least up to the answer.</param>
    /// <param name="heldIds">Ids of the output-embedding rows in the run.</param>
    /// <param name="run">The run's rows.</param>
    /// <param name="options">Options of the method.</param>
    public ContextText(
        SequenceLayout layout,
        ReadOnlySpan<int> tokenIds,
        IEnumerable<int> heldIds,
        IRunRows run,
        TamOptions options
    )
    {
        _options = options;
        _run = run;
        _answerStart = layout.AnswerPositions is [var first, ..] ? first : tokenIds.Length;
        foreach (var position in layout.ContextPositions)
        {
            var mapId =
                options.StandInContextMaps && _entries.Count == 0
                    ? heldIds.MaxBy(id => Logit(run, id, position))
                    : tokenIds[position];
            Enter(new Entry(position, tokenIds[position], mapId, WordOf(tokenIds[position])));
        }

        ContextCount = _entries.Count;
        _lastPromptId = tokenIds[_answerStart - 1];
    }

    /// <summary>Entries of the prompt.</summary>
    public int ContextCount { get; }

    /// <summary>Entries in all.</summary>
    public int Count => _entries.Count;

    /// <summary>w . h, summed in float64.</summary>
    public static float Logit(IRunRows run, int tokenId, int position)
    {
        var logit = (float)HiddenRows.Dot(run.RowOf(tokenId), run.FinalStateAt(position));
        GC.KeepAlive(run);
        return logit;
    }

    /// <summary>Appends the answer's next token.</summary>
    public void Add(int position, int tokenId) =>
        Enter(
            new Entry(
                position,
                tokenId,
                _options.StandInContextMaps && Count == ContextCount ? _lastPromptId : tokenId,
                WordOf(tokenId)
            )
        );

    /// <summary>Different ids among <see cref="MapIdAt"/>.</summary>
    public int MapIdCount => _mapIds.Count;

    /// <summary>Whether an entry has this id for its map.</summary>
    public bool HasMapId(int id) => _mapIds.Contains(id);

    /// <summary>The positions of the first entries, without a copy.</summary>
    public IReadOnlyList<int> FirstPositions(int count) => new ArraySegment<int>(_positions, 0, count);

    /// <summary>An entry's position in the sequence.</summary>
    public int PositionAt(int index) => _entries[index].Position;

    /// <summary>An entry's token id.</summary>
    public int IdAt(int index) => _entries[index].Id;

    /// <summary>The id whose map represents an entry: its own, except for the two slips in the paper's code.</summary>
    public int MapIdAt(int index) => _entries[index].MapId;

    /// <summary>The position whose hidden state represents an entry: its own, or the one that predicted it.</summary>
    public int StatePositionAt(int index) =>
        _options.AnswerRelevanceWherePredicted && _entries[index].Position >= _answerStart
            ? _entries[index].Position - 1
            : _entries[index].Position;

    /// <summary>Rows of Q: for each block the text after it, without the explained word, by relevance.</summary>
    /// <param name="scores">r of the first entries, the text before the explained token.</param>
    /// <param name="blocks">The blocks before the token, in order.</param>
    /// <param name="explainedId">The explained token.</param>
    /// <param name="columns">The column of each entry's map.</param>
    /// <param name="width">Number of columns.</param>
    /// <param name="rows">Receives the weights [blocks, columns]; zeros at first.</param>
    public void FillWeights(
        ReadOnlySpan<float> scores,
        ReadOnlySpan<VisionBlock> blocks,
        int explainedId,
        ReadOnlySpan<int> columns,
        int width,
        Span<float> rows
    )
    {
        var word = WordOf(explainedId);
        var sums = new double[width];
        var counts = new int[width];
        double sum = 0;
        var count = 0;

        // From the last block to the first: each has the text of the one after it, and what stands between the two.
        var j = scores.Length;
        for (var b = blocks.Length - 1; b >= 0; b--)
        {
            for (; j > 0 && _entries[j - 1].Position > blocks[b].EndPosition; j--)
            {
                if (_entries[j - 1].Word != word)
                {
                    sums[columns[j - 1]] += scores[j - 1];
                    counts[columns[j - 1]]++;
                    sum += scores[j - 1];
                    count++;
                }
            }

            var isRelevant = sum > NegligibleRelevance;
            if (count == 0 || (!isRelevant && !_options.UniformWeightsWithoutRelevance))
            {
                continue;
            }

            var row = rows.Slice(b * width, width);
            for (var c = 0; c < width; c++)
            {
                row[c] = (float)(isRelevant ? sums[c] / sum : (double)counts[c] / count);
            }
        }
    }

    private void Enter(Entry entry)
    {
        if (_entries.Count == _positions.Length)
        {
            Array.Resize(ref _positions, Math.Max(16, 2 * _positions.Length));
        }

        _positions[_entries.Count] = entry.Position;
        _entries.Add(entry);
        _mapIds.Add(entry.MapId);
    }

    private int WordOf(int tokenId)
    {
        if (_options.RepeatedWords == RepeatedWords.ById || _run.FindBytes(tokenId) is not { } text)
        {
            return tokenId;
        }

        if (!_words.TryGetValue(tokenId, out var word))
        {
            var key = WordKey(text.Span);
            word = _wordsByText.TryGetValue(key, out var known) ? known : tokenId;
            _wordsByText.TryAdd(key, tokenId);
            _words.Add(tokenId, word);
        }

        return word;
    }

    /// <summary>A token's text for finding repeated words. A part of a character stands for itself.</summary>
    private string WordKey(ReadOnlySpan<byte> text)
    {
        var bytes = "bytes:" + Convert.ToHexString(text);
        if (_options.RepeatedWords == RepeatedWords.ByText || !System.Text.Unicode.Utf8.IsValid(text))
        {
            return bytes;
        }

        var folded = Encoding.UTF8.GetString(text).Trim().ToLowerInvariant();
        return folded.Length == 0 ? bytes : "text:" + folded;
    }

    private readonly record struct Entry(int Position, int Id, int MapId, int Word);
}
