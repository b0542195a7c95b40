using System.Runtime.CompilerServices;

namespace Tamx.Web.Wire;

/// <summary>Why a request or the loading failed.</summary>
/// <remarks>
/// A message may name settings, which callers know by different names: a flag of the command line, a field of a
/// request. So the message comes in pieces, and the server names the settings.
/// </remarks>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">What a program tells errors apart by.</param>
/// <param name="Pieces">The message: text and names of properties in turns, text first.</param>
internal sealed record FailedEvent(int Status, string Code, IReadOnlyList<string> Pieces)
{
    /// <summary>The code of a request that was cancelled.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The code of a request whose files cannot be written.</summary>
    public const string CannotWrite = "cannot_write";

    /// <summary>Stands around a property's name while the pieces are one text. No message has it.</summary>
    private const char Mark = '\0';

    /// <summary>The event of an exception.</summary>
    public static FailedEvent Of(int status, string code, InvalidInputException fault) =>
        new(status, code, fault.Describe(setting => $"{Mark}{setting.Property}{Mark}").Split(Mark));

    /// <summary>An exception with the same message.</summary>
    public InvalidInputException ToException()
    {
        var format = string.Concat(Pieces.Select((_, index) => $"{{{index}}}"));
        object[] pieces = [.. Pieces.Select((piece, index) => index % 2 == 0 ? (object)piece : new Setting(piece))];
        return InvalidInputException.Naming(FormattableStringFactory.Create(format, pieces));
    }
}
