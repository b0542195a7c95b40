using System.Buffers;

namespace Tamx.Llama;

/// <summary>Cuts text within the names of special tokens, so that a tokenizer reads them as text.</summary>
/// <remarks>
/// A cut is made behind a letter and before what is none (<c>&lt;think|&gt;</c>). Qwen's pre-tokenizer always parts
/// text there, so the parts give the same tokens as the whole would without those names. A name without such a place
/// is left as it is.
/// </remarks>
internal sealed class TextCutter
{
    private readonly (string Name, int Cut)[] _names;
    private readonly SearchValues<string> _search;

    /// <summary>Cuts these names.</summary>
    public TextCutter(IEnumerable<string> names)
    {
        _names = [.. names.Select(name => (name, FindCut(name))).Where(name => name.Item2 > 0)];
        _search = SearchValues.Create([.. _names.Select(name => name.Name)], StringComparison.Ordinal);
    }

    /// <summary>The parts of a text, in order.</summary>
    public IReadOnlyList<string> Cut(string text)
    {
        var cuts = new SortedSet<int> { text.Length };
        for (var start = 0; Find(text, start) is >= 0 and var found; start = found + 1)
        {
            foreach (var (name, cut) in _names)
            {
                if (text.AsSpan(found).StartsWith(name, StringComparison.Ordinal))
                {
                    cuts.Add(found + cut);
                }
            }
        }

        var parts = new List<string>(cuts.Count);
        var from = 0;
        foreach (var to in cuts)
        {
            parts.Add(text[from..to]);
            from = to;
        }

        return parts;
    }

    private int Find(string text, int start) =>
        text.AsSpan(start).IndexOfAny(_search) is >= 0 and var found ? start + found : -1;

    private static int FindCut(string name)
    {
        for (var i = 1; i < name.Length; i++)
        {
            if (char.IsLetter(name[i - 1]) && !char.IsLetter(name[i]) && !char.IsSurrogate(name[i]))
            {
                return i;
            }
        }

        return 0;
    }
}
