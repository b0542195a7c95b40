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
    public static EncodedImage FromFile(string path)
    {
        var encoded = RgbImage.ReadFile(path);
        var name = Path.GetFileName(path);
        RgbImage.CheckLimits(encoded, name, ImageLimits.Default);
        return new EncodedImage(encoded, name);
    }
}
