using System.Text;
using Tamx.Llama;

namespace Tamx;

/// <summary>The text of an answer as its tokens come, its thought apart.</summary>
/// <remarks>
/// The tags around the thought and the line feeds beside them are part of neither. A line feed in the thought comes
/// with the text after it, since it may turn out to be the last.
/// </remarks>
internal sealed class AnswerText(ThoughtReader thoughts)
{
    private readonly StringBuilder _whole = new(thoughts.StartsInside ? "<think>\n" : "");
    private readonly StringBuilder _thought = new();
    private readonly StringBuilder _answer = new();
    private bool _hasThought;
    private int _lineFeeds;

    /// <summary>The thought; null where the answer has none.</summary>
    public string? Thought => _hasThought ? _thought.ToString() : null;

    /// <summary>What follows the thought.</summary>
    public string Answer => _answer.ToString();

    /// <summary>Both, as the model reads them.</summary>
    public string Whole => _whole.ToString();

    /// <summary>Adds a token.</summary>
    /// <returns>Whether it is part of the thought, and what thought and answer grow by.</returns>
    public (bool IsThought, string Thought, string Answer) Add(GeneratedToken token)
    {
        _whole.Append(token.Text);
        var isThought = thoughts.Next(token.Id);
        _hasThought |= isThought;
        if (isThought)
        {
            return (true, thoughts.IsTag(token.Id) ? "" : AddThought(token.Text), "");
        }

        var text = _hasThought && _answer.Length == 0 ? token.Text.TrimStart('\n') : token.Text;
        _answer.Append(text);
        return (false, "", text);
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
