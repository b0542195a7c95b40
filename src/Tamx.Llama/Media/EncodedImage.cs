namespace Tamx.Llama.Media;

/// <summary>A picture as its file has it: JPEG, PNG, WebP, GIF or BMP.</summary>
/// <param name="Encoded">The bytes of the file.</param>
/// <param name="Name">What messages call the picture, for example its file name.</param>
public sealed record EncodedImage(ReadOnlyMemory<byte> Encoded, string Name)
{
    /// <summary>Reads a picture's file. It is not decoded, and so not checked.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ImageFormatException">The file does not exist, cannot be read or is too long.</exception>
    public static EncodedImage FromFile(string path) => new(RgbImage.ReadFile(path), Path.GetFileName(path));

    /// <summary>Reads a picture from a stream to its end. It is not decoded, and so not checked.</summary>
    /// <param name="stream">The stream, which need not know its length.</param>
    /// <param name="name">What messages call the picture.</param>
    /// <exception cref="ImageFormatException">It is too long.</exception>
    public static EncodedImage FromStream(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(RgbImage.ReadStream(stream, name), name);
    }
}
