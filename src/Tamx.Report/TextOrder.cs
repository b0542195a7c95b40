namespace Tamx.Report;

/// <summary>The text that tokens can have relevance for: context, then answer. It can grow at its end.</summary>
/// <remarks>
/// Nearly always the text before a token is a beginning of this order, and all tokens of a run share one list of it. So
/// each of its entries is compared once, and not once per token.
/// </remarks>
internal sealed class TextOrder
{
    private readonly List<int> _positions;
    private readonly HashSet<int> _known;
    private int[]? _shared;
    private int _sharedCount;

    public TextOrder(IEnumerable<int> positions)
    {
        _positions = [.. positions];
        _known = [.. _positions];
    }

    public IReadOnlyList<int> Positions => _positions;

    public bool Contains(int position) => _known.Contains(position);

    public void Add(int position)
    {
        _positions.Add(position);
        _known.Add(position);
    }

    /// <summary>Whether positions are a beginning of this order.</summary>
    public bool StartsWith(IReadOnlyList<int> positions)
    {
        if (positions.Count > _positions.Count)
        {
            return false;
        }

        if (positions is not ArraySegment<int> { Offset: 0, Array: { } shared })
        {
            return positions.SequenceEqual(_positions.Take(positions.Count));
        }

        if (shared != _shared)
        {
            (_shared, _sharedCount) = (shared, 0);
        }

        while (_sharedCount < positions.Count && shared[_sharedCount] == _positions[_sharedCount])
        {
            _sharedCount++;
        }

        return _sharedCount >= positions.Count;
    }
}
