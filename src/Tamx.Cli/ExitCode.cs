namespace Tamx.Cli;

/// <summary>Exit codes of every command.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>A fault of the program itself, or of llama.cpp (out of memory, for example).</summary>
    public const int InternalError = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 2;

    /// <summary>An unusable file, image, message or option value, or a file that cannot be read or written.</summary>
    public const int BadInput = 3;

    /// <summary>The native part or the requested engine is missing.</summary>
    public const int MissingPart = 4;

    /// <summary>Some rows of a batch failed; all others are written.</summary>
    public const int FailedRows = 5;

    /// <summary>Cancelled, for example by Ctrl+C.</summary>
    public const int Cancelled = 130;
}
