using Tamx.Llama.Imaging;

namespace Tamx.Llama.Chat;

/// <summary>Who speaks.</summary>
public enum ChatRole
{
    /// <summary>Instructions to the model.</summary>
    System,

    /// <summary>The person.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,
}

/// <summary>One message of a conversation: text, pictures and videos in order.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Parts">Text, pictures and videos in the order the model reads them.</param>
public sealed record ChatMessage(ChatRole Role, IReadOnlyList<ChatPart> Parts)
{
    /// <summary>A message of text alone.</summary>
    /// <param name="role">Who speaks.</param>
    /// <param name="text">What is said.</param>
    public ChatMessage(ChatRole role, string text)
        : this(role, [new TextPart(text)])
    {
    }
}

/// <summary>A part of a message: <see cref="TextPart"/>, <see cref="ImagePart"/> or <see cref="VideoPart"/>.</summary>
public abstract record ChatPart
{
    private protected ChatPart()
    {
    }
}

/// <summary>Text. Control tokens written in it (<c>&lt;|im_end|&gt;</c>) are read as plain text.</summary>
/// <param name="Text">The text.</param>
public sealed record TextPart(string Text) : ChatPart;

/// <summary>A picture, as its encoded file (JPEG, PNG, WebP, GIF or BMP).</summary>
/// <param name="Encoded">The bytes of the file.</param>
/// <param name="Name">What messages call the picture: its file name, for example.</param>
public sealed record ImagePart(ReadOnlyMemory<byte> Encoded, string Name) : ChatPart
{
    /// <summary>How large the model is to look at it; null for the model's own bounds.</summary>
    public PixelBounds? Bounds { get; init; }

    /// <summary>Reads a picture's file. It is decoded, and checked, when a model is asked about it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ImageFormatException">The file does not exist, cannot be read or is too long.</exception>
    public static ImagePart FromFile(string path) => new(RgbImage.ReadFile(path), Path.GetFileName(path));
}
