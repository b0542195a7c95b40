namespace Tamx.Llama;

/// <summary>llama.cpp's libraries are missing, do not fit, or have no device of the name that was asked for.</summary>
public sealed class NativeLibraryException : Exception
{
    private readonly FormattableString? _text;

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for and where, and the way out.</param>
    /// <param name="innerException">The loader's own error, if any.</param>
    public NativeLibraryException(string message, Exception? innerException = null)
        : base(message, innerException) { }

    private NativeLibraryException(FormattableString text)
        : base(FormattableString.Invariant(text)) => _text = text;

    /// <inheritdoc cref="InvalidInputException.Describe"/>
    public string Describe(Func<Setting, string?> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        return _text is null ? Message : Setting.Describe(_text, nameOf);
    }

    /// <summary>An exception whose message names settings.</summary>
    internal static NativeLibraryException Naming(FormattableString text) => new(text);
}
