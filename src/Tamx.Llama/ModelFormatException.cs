namespace Tamx.Llama;

/// <summary>A GGUF file (model or mmproj) is damaged, hostile, or of a kind that Tamx does not run.</summary>
public sealed class ModelFormatException : InvalidInputException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file.</param>
    /// <param name="message">What is wrong, naming the key or tensor.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    public ModelFormatException(string path, string message, Exception? innerException = null)
        : base($"{path}: {message}", innerException)
    {
        Path = path;
    }

    private ModelFormatException(string path, FormattableString text)
        : base((FormattableString)$"{path}: {text}")
    {
        Path = path;
    }

    /// <summary>The file at fault.</summary>
    public string Path { get; }

    /// <summary>An exception whose message names settings.</summary>
    internal static ModelFormatException Naming(string path, FormattableString text) => new(path, text);
}
