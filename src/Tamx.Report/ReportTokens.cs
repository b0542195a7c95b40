namespace Tamx.Report;

/// <summary>
/// The page's tokens with their texts and words, in the order of the sequence. It can grow at its end with an answer.
/// </summary>
internal sealed class ReportTokens
{
    private readonly TokenTexts _decoder;
    private readonly List<int> _positions = [];
    private readonly List<int> _ids = [];
    private readonly List<string> _texts = [];
    private readonly List<int> _wordStarts = [];
    private readonly Dictionary<int, int> _indices = [];

    /// <summary>Takes the tokens of a layout.</summary>
    public ReportTokens(TokenTexts decoder, ReadOnlySpan<int> tokenIds, SequenceLayout layout)
    {
        _decoder = decoder;
        int[] positions =
        [
            .. layout
                .Turns.SelectMany(turn => turn.TextPositions)
                .Concat(layout.ContextPositions)
                .Concat(layout.AnswerPositions)
                .Distinct()
                .Order(),
        ];
        for (int start = 0, end; start < positions.Length; start = end)
        {
            // A character or a word never goes beyond tokens in a row.
            for (end = start + 1; end < positions.Length && positions[end] == positions[end - 1] + 1; end++) { }

            AddRun(positions[start], tokenIds.Slice(positions[start], end - start));
        }
    }

    public IReadOnlyList<int> Positions => _positions;

    public IReadOnlyList<int> Ids => _ids;

    /// <summary>Text of each token; empty if it only continues a character.</summary>
    public IReadOnlyList<string> Texts => _texts;

    /// <summary>Indices of the tokens that start a word, ascending.</summary>
    public IReadOnlyList<int> WordStarts => _wordStarts;

    /// <summary>A token's index by its position in the sequence.</summary>
    public int IndexOf(int position) => _indices[position];

    /// <summary>Appends a token.</summary>
    /// <returns>Index of the first token whose text or word may have changed.</returns>
    public int Append(int position, int id)
    {
        if (_positions.Count == 0 || _positions[^1] != position - 1)
        {
            AddRun(position, [id]);
            return _positions.Count - 1;
        }

        // A new token can change the last word and join it to the word before. It cannot change where that one starts.
        // A word ends at the end of its run.
        var word = Math.Max(0, _wordStarts.Count - 2);
        if (_positions[^1] - _positions[_wordStarts[word]] != _positions.Count - 1 - _wordStarts[word])
        {
            word++;
        }

        var start = _wordStarts[word];
        int[] ids = [.. _ids[start..], id];
        var first = _positions[start];
        _positions.RemoveRange(start, _positions.Count - start);
        _ids.RemoveRange(start, _ids.Count - start);
        _texts.RemoveRange(start, _texts.Count - start);
        _wordStarts.RemoveRange(word, _wordStarts.Count - word);
        AddRun(first, ids);
        return start;
    }

    /// <summary>A token's text. If it only continues a character, the text with this character.</summary>
    public string WholeText(int index)
    {
        while (index > 0 && _texts[index].Length == 0)
        {
            index--;
        }

        return _texts[index];
    }

    private void AddRun(int position, ReadOnlySpan<int> ids)
    {
        var start = _positions.Count;
        for (var i = 0; i < ids.Length; i++)
        {
            _indices[position + i] = start + i;
            _positions.Add(position + i);
            _ids.Add(ids[i]);
        }

        _texts.AddRange(_decoder.Decode(ids));
        _wordStarts.AddRange(
            AnswerWord.Group([.. ids.ToArray().Select(_decoder.BytesOf)]).Select(word => start + word.TokenIndices[0])
        );
    }
}
