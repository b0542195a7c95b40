using System.Buffers;
using System.Text;
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

    /// <summary>Letters that tell whether they are a picture's.</summary>
    private const int StartLetters = 64;

    private static readonly string[] FrameListTypes = ["data:video/jpeg", "data:video/png", "data:video/webp"];

    /// <summary>
    /// The data, where it was decoded when it was read; a frame list's each on its own. Null stands for what is no
    /// base64. <see cref="Text"/> is then but the beginning.
    /// </summary>
    private byte[]?[]? _decoded;

    /// <summary>How many frames a list had of which no text was made.</summary>
    private int? _frameCount;

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
            var head = HeadLength(Text) ?? throw Fault("has a data URL without ;base64,");
            var data = _decoded is null ? FromBase64(Text.AsSpan(head)) : OnlyOne(_decoded);
            return data ?? throw Fault("has a data URL that is no base64");
        }

        if (IsBase64)
        {
            var data = _decoded is null ? FromBase64(Text) : OnlyOne(_decoded);
            return data ?? throw Fault("has a base64 that is no base64");
        }

        return _decoded is not null ? OnlyOne(_decoded)
            : IsStartOfPicture(Text) ? FromBase64(Text)
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
        IsFrameList(Text) && HeadLength(Text) is { } head ? _frameCount ?? Text.AsSpan(head).Count(',') + 1 : null;

    /// <summary>The frames of such a list.</summary>
    internal MediaSource[] Frames()
    {
        var head = HeadLength(Text)!.Value;
        return _decoded is null
            ? [.. Text[head..].Split(',').Select((text, index) => Frame(text, index))]
            : [.. _decoded.Select((data, index) => Frame(data is [] ? "" : "…", index) with { _decoded = [data] })];

        MediaSource Frame(string text, int index) => new($"{Place}, frame {index}", text, IsBase64: true);
    }

    /// <summary>A source as a message writes it, without white space around it.</summary>
    internal static MediaSource Of(string place, string text, bool isBase64 = false) =>
        new(place, text.Trim(), isBase64);

    /// <summary>A source of which no text is made: its data is decoded as it stands in the JSON.</summary>
    /// <param name="place">Where in the conversation it stands.</param>
    /// <param name="letters">The inside of the JSON string.</param>
    /// <param name="isBase64">Whether the message says that it is base64.</param>
    /// <exception cref="InvalidInputException">It is no data.</exception>
    internal static MediaSource Of(string place, ReadOnlySpan<byte> letters, bool isBase64)
    {
        var (start, end) = MessageBase64.Start(letters, MaxHead, isEscaped: true);
        if (HeadLength(start) is { } head && start.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            (start, end) = (start[..head], MessageBase64.Start(letters, head, isEscaped: true).End);
            var data = letters[end..];
            var count = IsFrameList(start) ? data.Count((byte)',') + 1 : 1;
            return new MediaSource(place, start, isBase64)
            {
                _frameCount = count,
                _decoded = count <= ConversationReader.MaxListedFrames ? DecodeList(data, count) : [],
            };
        }

        return isBase64 || IsStartOfPicture(start)
                ? new MediaSource(place, start, isBase64) { _decoded = [DecodeJson(letters)] }
            : start.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? new MediaSource(place, start, isBase64)
            : throw new InvalidInputException(
                $"{place} has {letters.Length} bytes of text that are no file here, no data URL and no base64 of a picture"
            );
    }

    /// <summary>An error that begins with the place.</summary>
    internal InvalidInputException Fault(string what) => new($"{Place} {what}");

    private static byte[]? OnlyOne(byte[]?[] decoded) => decoded.Length == 1 ? decoded[0] : null;

    private static bool IsFrameList(string text) =>
        Array.Exists(FrameListTypes, type => text.StartsWith(type, StringComparison.OrdinalIgnoreCase));

    private static int? HeadLength(string text)
    {
        var marker = text.AsSpan(0, Math.Min(text.Length, MaxHead)).IndexOf(Marker, StringComparison.OrdinalIgnoreCase);
        return marker < 0 ? null : marker + Marker.Length;
    }

    /// <summary>The first bytes tell whether it is worth decoding.</summary>
    private static bool IsStartOfPicture(string text) =>
        text.Length > StartLetters
        && FromBase64(text.AsSpan(0, StartLetters)) is { } start
        && RgbImage.IsPicture(start);

    /// <summary>The data between so many commas, less one.</summary>
    private static byte[]?[] DecodeList(ReadOnlySpan<byte> letters, int count)
    {
        var frames = new byte[]?[count];
        for (var i = 0; i < count; i++)
        {
            var end = i < count - 1 ? letters.IndexOf((byte)',') : letters.Length;
            frames[i] = DecodeJson(letters[..end]);
            letters = i < count - 1 ? letters[(end + 1)..] : [];
        }

        return frames;
    }

    private static byte[]? DecodeJson(ReadOnlySpan<byte> letters) => MessageBase64.Decode(letters, isEscaped: true);

    private static byte[]? FromBase64(ReadOnlySpan<char> text)
    {
        var letters = new byte[text.Length];
        return Ascii.FromUtf16(text, letters, out _) == OperationStatus.Done
            ? MessageBase64.Decode(letters, isEscaped: false)
            : null;
    }
}
