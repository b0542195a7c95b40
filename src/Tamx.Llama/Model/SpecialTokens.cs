namespace Tamx.Llama;

/// <summary>Which special tokens that a text names (<c>&lt;|box_start|&gt;</c>) are tokens; others stay text.</summary>
internal enum SpecialTokens
{
    /// <summary>None: what a user or the system says.</summary>
    None,

    /// <summary>
    /// What an assistant says: all but the markers of turns, pictures and videos, which would change how the sequence
    /// is read.
    /// </summary>
    Answer,

    /// <summary>All: the template's own text.</summary>
    All,
}
