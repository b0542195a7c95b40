using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>Who speaks in a turn of a conversation.</summary>
public enum TurnRole
{
    /// <summary>Instructions to the model.</summary>
    System,

    /// <summary>The person.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,
}

/// <summary>One turn of a conversation: a message of text, pictures and videos in order.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Parts">Text, pictures and videos in the order the model reads them.</param>
public sealed record ChatTurn(TurnRole Role, IReadOnlyList<ChatPart> Parts)
{
    /// <summary>A turn of text alone.</summary>
    /// <param name="role">Who speaks.</param>
    /// <param name="text">What is said.</param>
    public ChatTurn(TurnRole role, string text)
        : this(role, [new TextPart(text)]) { }

    /// <summary>
    /// What the assistant thought before it spoke; null where the text has it (<c>&lt;think&gt;...&lt;/think&gt;</c>),
    /// or there was none. A model's chat template decides which turns keep their thoughts.
    /// </summary>
    public string? Thought { get; init; }
}

/// <summary>A part of a turn: <see cref="TextPart"/>, <see cref="ImagePart"/> or <see cref="VideoPart"/>.</summary>
public abstract record ChatPart
{
    private protected ChatPart() { }
}

/// <summary>
/// Text. Names of control tokens in it (<c>&lt;|im_end|&gt;</c>) are read as plain text; in an assistant's message only
/// those of turns, pictures and videos are, since the others (<c>&lt;|box_start|&gt;</c>) are what it wrote.
/// </summary>
/// <param name="Text">The text.</param>
public sealed record TextPart(string Text) : ChatPart;

/// <summary>A picture.</summary>
/// <param name="Image">Its encoded file.</param>
public sealed record ImagePart(EncodedImage Image) : ChatPart
{
    /// <summary>A picture of given bytes.</summary>
    /// <param name="encoded">The bytes of the file (JPEG, PNG, WebP, GIF or BMP).</param>
    /// <param name="name">What messages call the picture, for example its file name.</param>
    public ImagePart(ReadOnlyMemory<byte> encoded, string name)
        : this(new EncodedImage(encoded, name)) { }

    /// <inheritdoc cref="EncodedImage.Encoded"/>
    public ReadOnlyMemory<byte> Encoded => Image.Encoded;

    /// <inheritdoc cref="EncodedImage.Name"/>
    public string Name => Image.Name;

    /// <summary>At which size the model sees it; null for the model's own bounds.</summary>
    public PixelBounds? Bounds { get; init; }

    /// <inheritdoc cref="EncodedImage.FromFile"/>
    public static ImagePart FromFile(string path) => new(EncodedImage.FromFile(path));

    /// <inheritdoc cref="EncodedImage.FromStream"/>
    public static ImagePart FromStream(Stream stream, string name) => new(EncodedImage.FromStream(stream, name));
}
