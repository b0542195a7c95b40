namespace Tamx.Llama;

/// <summary>llama.cpp failed in a way that no input explains (out of memory, a failed decode, an internal fault).</summary>
public sealed class LlamaException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What llama.cpp said.</param>
    /// <param name="innerException">The cause, if known.</param>
    public LlamaException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
