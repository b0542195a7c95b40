namespace Tamx.Llama.Media;

/// <summary>A picture as its file has it: JPEG, PNG, WebP, GIF or BMP.</summary>
/// <param name="Encoded">The bytes of the file.</param>
/// <param name="Name">What messages call the picture, for example its file name.</param>
public sealed record EncodedImage(ReadOnlyMemory<byte> Encoded, string Name)
{
    /// <summary>Reads a picture's file and checks its head. It is decoded when a model looks at it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ImageFormatException">
    /// The file does not exist, cannot be read, is of another format or damaged, or beyond the limits.
    /// </exception>
    public static EncodedImage FromFile(string path) => Checked(RgbImage.ReadFile(path), Path.GetFileName(path));

    /// <summary>Reads a picture from a stream to its end and checks its head.</summary>
    /// <param name="stream">The stream, which need not know its length.</param>
    /// <param name="name">What messages call the picture.</param>
    /// <exception cref="ImageFormatException">It is of another format or damaged, or beyond the limits.</exception>
    public static EncodedImage FromStream(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Checked(RgbImage.ReadStream(stream, name), name);
    }

    private static EncodedImage Checked(byte[] encoded, string name)
    {
        RgbImage.CheckLimits(encoded, name, ImageLimits.Default);
        return new EncodedImage(encoded, name);
    }
}
