using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>
/// Where a picture or video of a message comes from: a data URL, base64, or a name. Whether a name is followed is for
/// the reader's caller to say.
/// </summary>
/// <param name="Place">Where in the conversation it stands, for error messages.</param>
/// <param name="Text">What the message says.</param>
/// <param name="IsBase64">Whether the message says that it is base64.</param>
public sealed record MediaSource(string Place, string Text, bool IsBase64 = false)
{
    private const string Scheme = "data:";
    private const string Marker = ";base64,";

    /// <summary>Longest head of a data URL, up to its data.</summary>
    private const int MaxHead = 100;
    private const int MaxShownPath = 200;

    private static readonly string[] FrameListTypes = ["data:video/jpeg", "data:video/png", "data:video/webp"];

    /// <summary>Whether it is a data URL that says it is a picture.</summary>
    internal bool IsPictureUrl => Text.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The bytes, if they stand in the message itself; null if it is a name.</summary>
    /// <remarks>
    /// Base64 may be wrapped, url-safe, percent-encoded and without its padding. A text without <c>data:</c> is taken
    /// for base64 only if it is a picture's, so that no path is mistaken for data.
    /// </remarks>
    /// <exception cref="InvalidInputException">
    /// It is a data URL without base64, or base64 that is none. The data is not repeated.
    /// </exception>
    public byte[]? Decode()
    {
        if (Text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            var head = HeadLength() ?? throw Fault("has a data URL without ;base64,");
            return FromBase64(Text.AsSpan(head)) ?? throw Fault("has a data URL that is no base64");
        }

        if (IsBase64)
        {
            return FromBase64(Text) ?? throw Fault("has a base64 that is no base64");
        }

        // The first bytes tell whether it is worth decoding.
        const int Start = 64;
        return Text.Length > Start && FromBase64(Text.AsSpan(0, Start)) is { } start && RgbImage.IsPicture(start)
            ? FromBase64(Text)
            : null;
    }

    /// <summary>The path, if it is a name: a path or a <c>file:</c> URL. It need not exist.</summary>
    /// <param name="folder">The folder that relative paths are relative to.</param>
    /// <exception cref="InvalidInputException">It is an address, or too long to be a name.</exception>
    public string PathIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string path;
        try
        {
            path = LocalFile.Resolve(Text, folder);
        }
        catch (InvalidInputException e)
        {
            throw Fault(e.Message);
        }

        // What is no path and too long for one, is data that lost its head on the way; nobody wants to read it.
        return Text.Length <= MaxShownPath || Path.Exists(path)
            ? path
            : throw Fault(
                $"has {Text.Length} characters that are no file here, no data URL and no base64 of a picture"
            );
    }

    /// <summary>
    /// How many frames <c>data:video/jpeg;base64,FRAME,FRAME,...</c> has; null if it is no such list.
    /// </summary>
    internal int? FrameCount =>
        Array.Exists(FrameListTypes, type => Text.StartsWith(type, StringComparison.OrdinalIgnoreCase))
        && HeadLength() is { } head
            ? Text.AsSpan(head).Count(',') + 1
            : null;

    /// <summary>The frames of such a list.</summary>
    internal MediaSource[] Frames() =>
        [
            .. Text[HeadLength()!.Value..]
                .Split(',')
                .Select((frame, index) => new MediaSource($"{Place}, frame {index}", frame, IsBase64: true)),
        ];

    /// <summary>A source as a message writes it, without white space around it.</summary>
    internal static MediaSource Of(string place, string text, bool isBase64 = false) =>
        new(place, text.Trim(), isBase64);

    /// <summary>An error that begins with the place.</summary>
    internal InvalidInputException Fault(string what) => new($"{Place} {what}");

    private int? HeadLength()
    {
        var marker = Text.AsSpan(0, Math.Min(Text.Length, MaxHead)).IndexOf(Marker, StringComparison.OrdinalIgnoreCase);
        return marker < 0 ? null : marker + Marker.Length;
    }

    private static byte[]? FromBase64(ReadOnlySpan<char> text)
    {
        // Data URLs may have + / = and line ends as percent signs.
        var source = text.Contains('%') ? Uri.UnescapeDataString(text) : text;
        var letters = new char[source.Length + 2];
        var count = 0;
        foreach (var letter in source)
        {
            if (letter is not (' ' or '\t' or '\r' or '\n'))
            {
                letters[count++] = letter switch
                {
                    '-' => '+',
                    '_' => '/',
                    _ => letter,
                };
            }
        }

        while (count % 4 is 2 or 3)
        {
            letters[count++] = '=';
        }

        var bytes = new byte[count / 4 * 3];
        return Convert.TryFromBase64Chars(letters.AsSpan(0, count), bytes, out var length) ? bytes[..length] : null;
    }
}
