namespace Tamx.Cli;

/// <summary>The command line asks for something wrong. Only a look at the files that it names shows it.</summary>
internal sealed class UsageException(string message) : Exception(message);
