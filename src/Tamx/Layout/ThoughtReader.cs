namespace Tamx;

/// <summary>Tells an answer's thought from what follows it, token by token.</summary>
/// <remarks>
/// The thought goes from the answer's first token to <c>&lt;/think&gt;</c>, or to the end if it is cut off before. It
/// is there if the prompt left it open, or if the answer begins with <c>&lt;think&gt;</c>.
/// </remarks>
internal sealed class ThoughtReader
{
    private readonly MarkerIds _markers;
    private State _state;

    /// <summary>Starts after a prompt.</summary>
    public ThoughtReader(MarkerIds markers, ReadOnlySpan<int> prompt)
    {
        _markers = markers;
        var turn = prompt[(prompt.LastIndexOf(markers.TurnStart) + 1)..];
        _state =
            markers is not { ThinkStart: { } start, ThinkEnd: { } end } ? State.Over
            : turn.LastIndexOf(start) > turn.LastIndexOf(end) ? State.Inside
            : State.Before;
        StartsInside = _state == State.Inside;
    }

    private enum State
    {
        Before,
        Inside,
        Over,
    }

    /// <summary>Whether the prompt left a thought open.</summary>
    public bool StartsInside { get; }

    /// <summary>Whether the answer's next token is part of the thought, the tags included.</summary>
    public bool Next(int tokenId)
    {
        var isThought = _state == State.Inside || (_state == State.Before && tokenId == _markers.ThinkStart);
        _state = isThought && tokenId != _markers.ThinkEnd ? State.Inside : State.Over;
        return isThought;
    }

    /// <summary>Whether a token is a tag around the thought.</summary>
    public bool IsTag(int tokenId) => tokenId == _markers.ThinkStart || tokenId == _markers.ThinkEnd;
}
