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
            _entries.Add(new Entry(position, tokenIds[position], mapId, WordOf(tokenIds[position])));
        }

        ContextCount = _entries.Count;
        _lastPromptId = tokenIds[_answerStart - 1];
    }

    /// <summary>Entries of the prompt.</summary>
    public int ContextCount { get; }

    /// <summary>Entries in all.</summary>
    public int Count => _entries.Count;

    /// <summary>w . h, summed in float64.</summary>
    public static float Logit(IRunRows run, int tokenId, int position) =>
        (float)HiddenRows.Dot(run.RowOf(tokenId), run.StateAt(position));

    /// <summary>Appends the answer's next token.</summary>
    public void Add(int position, int tokenId) =>
        _entries.Add(
            new Entry(
                position,
                tokenId,
                _options.StandInContextMaps && Count == ContextCount ? _lastPromptId : tokenId,
                WordOf(tokenId)
            )
        );

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

    /// <summary>One row of Q: the text after a block, without the explained word, weighted by relevance.</summary>
    /// <param name="scores">r of the first entries, the text before the explained token.</param>
    /// <param name="blockEnd">Position of the block's end.</param>
    /// <param name="explainedId">The explained token.</param>
    /// <param name="columns">The column of each entry's map.</param>
    /// <param name="weights">Receives the weights; zeros at first.</param>
    public void FillWeights(
        ReadOnlySpan<float> scores,
        int blockEnd,
        int explainedId,
        ReadOnlySpan<int> columns,
        Span<float> weights
    )
    {
        var word = WordOf(explainedId);
        double sum = 0;
        var count = 0;
        for (var j = 0; j < scores.Length; j++)
        {
            if (IsContext(j, blockEnd, word))
            {
                sum += scores[j];
                count++;
            }
        }

        var isRelevant = sum > NegligibleRelevance;
        if (count == 0 || (!isRelevant && !_options.UniformWeightsWithoutRelevance))
        {
            return;
        }

        for (var j = 0; j < scores.Length; j++)
        {
            if (IsContext(j, blockEnd, word))
            {
                weights[columns[j]] += (float)(isRelevant ? scores[j] / sum : 1.0 / count);
            }
        }
    }

    private bool IsContext(int index, int blockEnd, int explainedWord) =>
        _entries[index].Position > blockEnd && _entries[index].Word != explainedWord;

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
