using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Llama;

/// <summary>
/// Gives the tokens of an answer their texts, and ends the answer before a stop text. A token that may hold the
/// beginning of one is kept back until that is known.
/// </summary>
/// <remarks>
/// It compares bytes, so that neither the borders of tokens nor those of characters matter.
/// </remarks>
/// <param name="texts">The stop texts; none to keep nothing back.</param>
internal sealed class StopTextFilter(IEnumerable<string> texts)
{
    private readonly byte[][] _stops = [.. texts.Select(Encoding.UTF8.GetBytes)];
    private readonly Utf8TokenDecoder _text = new();
    private readonly Queue<(GeneratedToken Token, int Length)> _held = [];
    private readonly List<byte> _bytes = [];

    /// <summary>Whether the answer has come to a stop text. What is still held is then none of the answer.</summary>
    public bool IsMet { get; private set; }

    private ReadOnlySpan<byte> HeldBytes => CollectionsMarshal.AsSpan(_bytes);

    /// <summary>Takes the next token.</summary>
    /// <param name="token">The token, without its text.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <returns>The tokens that are now known to be the answer's, with their texts.</returns>
    public IReadOnlyList<GeneratedToken> Add(GeneratedToken token, ReadOnlySpan<byte> bytes)
    {
        var before = _bytes.Count;
        _held.Enqueue((token, bytes.Length));
        _bytes.AddRange(bytes);
        var start = FindStop(before);
        IsMet = start >= 0;
        return IsMet ? Release(start, cuts: true) : Release(_bytes.Count - BegunLength(), cuts: false);
    }

    /// <summary>Takes the token that ends the answer. Its bytes are none of the answer's text.</summary>
    /// <param name="token">The token, without its text.</param>
    /// <returns>The tokens that were held, and this one.</returns>
    public IReadOnlyList<GeneratedToken> AddEnd(GeneratedToken token) =>
        [.. ReleaseAll(), token with { Text = _text.Flush() }];

    /// <summary>The tokens that were held, as no other comes.</summary>
    public IReadOnlyList<GeneratedToken> ReleaseAll() => Release(_bytes.Count, cuts: false);

    /// <summary>Where the first of the stop texts begins that the newest bytes complete; -1 if there is none.</summary>
    private int FindStop(int before)
    {
        var first = -1;
        foreach (var stop in _stops)
        {
            var from = Math.Max(0, before - stop.Length + 1);
            var index = HeldBytes[from..].IndexOf(stop);
            if (index >= 0 && (first < 0 || from + index < first))
            {
                first = from + index;
            }
        }

        return first;
    }

    /// <summary>How many of the last bytes may be the beginning of a stop text.</summary>
    private int BegunLength()
    {
        var longest = 0;
        foreach (var stop in _stops)
        {
            var length = Math.Min(stop.Length - 1, _bytes.Count);
            while (length > longest && !HeldBytes.EndsWith(stop.AsSpan(0, length)))
            {
                length--;
            }

            longest = Math.Max(longest, length);
        }

        return longest;
    }

    /// <summary>Takes out the tokens that lie within the first bytes.</summary>
    /// <param name="count">How many bytes.</param>
    /// <param name="cuts">Whether a token that only begins within them goes too, with a part of its text.</param>
    private List<GeneratedToken> Release(int count, bool cuts)
    {
        var released = new List<GeneratedToken>();
        var begin = 0;
        while (_held.TryPeek(out var next) && begin + next.Length <= count)
        {
            _held.Dequeue();
            released.Add(next.Token with { Text = _text.Decode(HeldBytes.Slice(begin, next.Length)) });
            begin += next.Length;
        }

        if (cuts && begin < count)
        {
            var text = _text.Decode(HeldBytes[begin..count]) + _text.Flush();
            released.Add(_held.Peek().Token with { Text = text });
        }

        _bytes.RemoveRange(0, begin);
        return released;
    }
}
