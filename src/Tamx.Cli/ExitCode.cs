namespace Tamx.Cli;

/// <summary>Exit codes of every command.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>A fault of the program itself, or llama.cpp failed (out of memory, for example).</summary>
    public const int InternalError = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 2;

    /// <summary>
    /// A file, an image, a message or an option's value cannot be used, or a file cannot be read or written.
    /// </summary>
    public const int BadInput = 3;

    /// <summary>The native part or the engine asked for is not there.</summary>
    public const int MissingPart = 4;

    /// <summary>Cancelled, as by Ctrl+C.</summary>
    public const int Cancelled = 130;
}
