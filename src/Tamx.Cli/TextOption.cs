using System.CommandLine;

namespace Tamx.Cli;

/// <summary>An option whose value is any text, also one that begins as an option does.</summary>
internal sealed class TextOption(string name, params string[] aliases) : Option<string?>(name, aliases);
