namespace Tamx.Llama.Media;

/// <summary>File names in natural order: 2 before 10, letters without regard to case.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    public static NaturalOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var first = x.AsSpan();
        var second = y.AsSpan();
        while (!first.IsEmpty && !second.IsEmpty)
        {
            int order;
            if (char.IsAsciiDigit(first[0]) && char.IsAsciiDigit(second[0]))
            {
                var number = TakeNumber(ref first);
                var other = TakeNumber(ref second);
                order = number.Length != other.Length ? number.Length - other.Length : number.SequenceCompareTo(other);
            }
            else
            {
                order = char.ToUpperInvariant(first[0]).CompareTo(char.ToUpperInvariant(second[0]));
                first = first[1..];
                second = second[1..];
            }

            if (order != 0)
            {
                return order;
            }
        }

        // Names that only differ in case or leading zeros still have one order.
        return first.Length != second.Length ? first.Length - second.Length : string.CompareOrdinal(x, y);
    }

    /// <summary>Takes the digits off the front, without their leading zeros.</summary>
    private static ReadOnlySpan<char> TakeNumber(ref ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        var digits = end < 0 ? text : text[..end];
        text = text[digits.Length..];
        return digits.TrimStart('0');
    }
}
