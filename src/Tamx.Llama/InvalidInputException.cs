namespace Tamx;

/// <summary>Something the caller handed in (a file, a picture, a message, an option) cannot be used.</summary>
/// <remarks>
/// Everything that Tamx refuses on purpose derives from this type. The message is one line for a person: which thing it
/// is, what is wrong with it, and what would be right. It may name settings (<see cref="Setting"/>).
/// <see cref="Exception.Message"/> calls them by the library's properties. A program whose users know them by other
/// names has <see cref="Describe"/> write these.
/// </remarks>
public class InvalidInputException : Exception
{
    private readonly FormattableString? _text;

    /// <summary>Creates the exception with a message for a person.</summary>
    /// <param name="message">Which thing, what is wrong with it, what would be right.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    public InvalidInputException(string message, Exception? innerException = null)
        : base(message, innerException) { }

    /// <summary>Creates the exception with a message that names settings.</summary>
    /// <param name="text">Which thing, what is wrong, what would be right; settings as <see cref="Setting"/>.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    protected InvalidInputException(FormattableString text, Exception? innerException = null)
        : base(Setting.Describe(text, _ => null), innerException) => _text = text;

    /// <summary>An exception whose message names settings.</summary>
    /// <param name="text">Which thing, what is wrong, what would be right; settings as <see cref="Setting"/>.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    public static InvalidInputException Naming(FormattableString text, Exception? innerException = null) =>
        new(text, innerException);

    /// <summary>The message in the words of whoever called.</summary>
    /// <param name="nameOf">The caller's name for a setting, as <c>-c</c>; null for the property's name.</param>
    public virtual string Describe(Func<Setting, string?> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        return _text is null ? Message : Setting.Describe(_text, nameOf);
    }
}
