namespace Tamx.Llama;

/// <summary>llama.cpp's libraries are missing, do not fit, or have no device of the name that was asked for.</summary>
public sealed class NativeLibraryException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for and where, and the way out.</param>
    /// <param name="innerException">The loader's own error, if any.</param>
    public NativeLibraryException(string message, Exception? innerException = null)
        : base(message, innerException) { }
}
