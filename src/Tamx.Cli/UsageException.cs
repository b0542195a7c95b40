namespace Tamx.Cli;

/// <summary>The command line asks for what cannot be meant; found only by looking at the files that it names.</summary>
internal sealed class UsageException(string message) : Exception(message);
