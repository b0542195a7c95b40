namespace Tamx.Llama;

/// <summary>llama.cpp failed, and not for its input: out of memory, a failed decode, an internal fault.</summary>
public sealed class LlamaException : Exception
{
    private readonly FormattableString? _text;

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What llama.cpp said.</param>
    /// <param name="innerException">The cause, if known.</param>
    public LlamaException(string message, Exception? innerException = null)
        : base(message, innerException) { }

    private LlamaException(FormattableString text, Exception? innerException)
        : base(FormattableString.Invariant(text), innerException) => _text = text;

    /// <inheritdoc cref="InvalidInputException.Describe"/>
    public string Describe(Func<Setting, string?> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        return _text is null ? Message : Setting.Describe(_text, nameOf);
    }

    /// <summary>An exception whose message names settings.</summary>
    internal static LlamaException Naming(FormattableString text, Exception? innerException = null) =>
        new(text, innerException);
}
