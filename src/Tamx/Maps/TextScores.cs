using Tamx.Kernels;

namespace Tamx;

/// <summary>One id's relevance of the text, read forward: range and greatest entries of its beginnings.</summary>
/// <remarks>
/// The tokens of a long answer ask for ever longer beginnings of the same text. Each entry is looked at once, and not
/// once per token.
/// </remarks>
/// <param name="values">r of each text entry, at least 0.</param>
internal sealed class TextScores(ReadOnlyMemory<float> values)
{
    private readonly PriorityQueue<int, (float Value, int Later)> _greatest = new();
    private ValueRange _range = ValueRange.Empty;
    private int _rangeCount;
    private int _greatestCount;
    private int _most;

    /// <summary>r of the first entries.</summary>
    public ReadOnlySpan<float> First(int count) => values.Span[..count];

    /// <summary>The range of the first entries.</summary>
    public ValueRange RangeOf(int count)
    {
        if (count < _rangeCount)
        {
            (_range, _rangeCount) = (ValueRange.Empty, 0);
        }

        _range = _range.Include(values.Span[_rangeCount..count]);
        _rangeCount = count;
        return _range;
    }

    /// <summary>Indices of the greatest of the first entries, unordered, without zeros. Of equals the first.</summary>
    public IEnumerable<int> GreatestOf(int count, int most)
    {
        if (count < _greatestCount || most != _most)
        {
            _greatest.Clear();
            (_greatestCount, _most) = (0, most);
        }

        var span = values.Span;
        for (; _greatestCount < count; _greatestCount++)
        {
            var value = span[_greatestCount];
            if (value <= 0)
            {
                continue;
            }

            if (_greatest.Count < most)
            {
                _greatest.Enqueue(_greatestCount, (value, -_greatestCount));
            }
            else if (_greatest.TryPeek(out _, out var least) && value > least.Value)
            {
                _greatest.DequeueEnqueue(_greatestCount, (value, -_greatestCount));
            }
        }

        return _greatest.UnorderedItems.Select(item => item.Element);
    }
}
