using System.Text;
using Tamx.Llama;

namespace Tamx;

/// <summary>What a token adds to an answer's text. The tags around a thought add nothing.</summary>
/// <param name="IsThought">Whether the token is part of the thought, the tags included.</param>
/// <param name="Thought">What the thought grows by.</param>
/// <param name="Answer">What the answer grows by.</param>
public sealed record AnswerPiece(bool IsThought, string Thought, string Answer);

/// <summary>The text of an answer as its tokens come, its thought apart.</summary>
/// <remarks>
/// The tags around the thought and the line feeds beside them are part of neither. A line feed in the thought comes
/// with the text after it, since it may turn out to be the last.
/// </remarks>
public sealed class AnswerText
{
    private readonly ThoughtReader _thoughts;
    private readonly StringBuilder _whole = new();
    private readonly StringBuilder _thought = new();
    private readonly StringBuilder _answer = new();
    private bool _hasThought;
    private int _lineFeeds;

    /// <summary>Starts after a prompt.</summary>
    /// <param name="markers">Marker ids of the vocabulary.</param>
    /// <param name="prompt">The prompt's tokens: it may have left a thought open.</param>
    public AnswerText(MarkerIds markers, ReadOnlySpan<int> prompt)
    {
        ArgumentNullException.ThrowIfNull(markers);
        _thoughts = new ThoughtReader(markers, prompt);
        if (_thoughts.StartsInside)
        {
            _whole.Append("<think>\n");
        }
    }

    /// <summary>The thought; null where the answer has none.</summary>
    public string? Thought => _hasThought ? _thought.ToString() : null;

    /// <summary>What follows the thought.</summary>
    public string Answer => _answer.ToString();

    /// <summary>Both, as the model reads them.</summary>
    public string Whole => _whole.ToString();

    /// <summary>Adds a token.</summary>
    public AnswerPiece Add(GeneratedToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        _whole.Append(token.Text);
        var isThought = _thoughts.Next(token.Id);
        _hasThought |= isThought;
        if (isThought)
        {
            return new AnswerPiece(true, _thoughts.IsTag(token.Id) ? "" : AddThought(token.Text), "");
        }

        var text = _hasThought && _answer.Length == 0 ? token.Text.TrimStart('\n') : token.Text;
        _answer.Append(text);
        return new AnswerPiece(false, "", text);
    }

    private string AddThought(string text)
    {
        var kept = text.TrimEnd('\n');
        if (kept.Length == 0)
        {
            _lineFeeds += text.Length;
            return "";
        }

        var added = _thought.Length == 0 ? kept.TrimStart('\n') : new string('\n', _lineFeeds) + kept;
        _lineFeeds = text.Length - kept.Length;
        _thought.Append(added);
        return added;
    }
}
