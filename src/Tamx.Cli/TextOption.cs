using System.CommandLine;

namespace Tamx.Cli;

/// <summary>An option whose value is any text, also one that begins as an option does.</summary>
internal interface ITextOption;

/// <inheritdoc cref="ITextOption"/>
internal sealed class TextOption(string name, params string[] aliases) : Option<string?>(name, aliases), ITextOption;

/// <summary>The same, given several times.</summary>
internal sealed class TextListOption(string name, params string[] aliases)
    : Option<string[]>(name, aliases),
        ITextOption;
