namespace Tamx.Llama.Media;

/// <summary>A picture cannot be used: unreadable, of an unknown format, or beyond the limits.</summary>
public sealed class ImageFormatException : InvalidInputException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="name">The picture: its path, or what else the caller knows it by.</param>
    /// <param name="message">What is wrong with it and what would be right.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    public ImageFormatException(string name, string message, Exception? innerException = null)
        : base($"{name}: {message}", innerException)
    {
        Name = name;
    }

    /// <summary>The picture at fault.</summary>
    public string Name { get; }
}
