namespace Tamx;

/// <summary>A saved trace (.safetensors) or its content cannot be used.</summary>
public sealed class TraceFormatException : InvalidInputException
{
    private readonly InvalidInputException? _fault;

    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file, or null for a trace built in code.</param>
    /// <param name="message">What is wrong. It names the tensor or position.</param>
    /// <param name="innerException">The exception that revealed the fault, or null.</param>
    public TraceFormatException(string? path, string message, Exception? innerException = null)
        : base(path is null ? message : $"{path}: {message}", innerException)
    {
        Path = path;
    }

    /// <summary>Creates the exception with a message that names settings.</summary>
    internal TraceFormatException(string? path, FormattableString text)
        : base(path is null ? text : (FormattableString)$"{path}: {text}") => Path = path;

    /// <summary>Creates the exception for a fault in a file.</summary>
    internal TraceFormatException(string path, InvalidInputException fault)
        : this(path, fault.Message, fault) => _fault = fault;

    /// <summary>The file at fault, or null for a trace built in code.</summary>
    public string? Path { get; }

    /// <inheritdoc/>
    public override string Describe(Func<Setting, string?> nameOf) =>
        _fault is null ? base.Describe(nameOf) : $"{Path}: {_fault.Describe(nameOf)}";
}
