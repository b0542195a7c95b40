namespace Tamx.Llama;

/// <summary>The native part (tamx_llama and the llama.cpp it needs) is missing or does not fit.</summary>
public sealed class NativeLibraryException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for and where, and the way out.</param>
    /// <param name="innerException">The loader's own error, if any.</param>
    public NativeLibraryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
