namespace Tamx.Llama;

/// <summary>Something the caller handed in (a file, an image, a message, an option) cannot be used.</summary>
/// <remarks>
/// The message is one line for a person: which thing it is, what is wrong with it, and what would be right.
/// Everything that Tamx refuses on purpose derives from this type; the command line turns it into exit code 3.
/// </remarks>
public class InvalidInputException : Exception
{
    /// <summary>Creates the exception with a message for a person.</summary>
    /// <param name="message">Which thing, what is wrong with it, what would be right.</param>
    /// <param name="innerException">What revealed the fault, if anything did.</param>
    public InvalidInputException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
