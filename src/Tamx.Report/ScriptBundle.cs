using System.Text;
using System.Text.RegularExpressions;

namespace Tamx.Report;

/// <summary>Joins ES modules into one script, because a page opened from file:// cannot import other files.</summary>
/// <remarks>
/// Each module becomes a function that returns its exports, so that names of different modules do not clash. It
/// understands <c>import { a, b } from "./file.js";</c> at the start of a line. It also understands <c>export</c>
/// there, before <c>const</c>, <c>class</c>, <c>function</c> and <c>async function</c>. Comments on lines of their own
/// are left out: they are for those who work on the modules, and for type checks.
/// </remarks>
internal static partial class ScriptBundle
{
    /// <summary>Builds the script.</summary>
    /// <param name="entry">File name of the module that starts the page.</param>
    /// <param name="read">Gives a module's source by file name.</param>
    /// <exception cref="InvalidOperationException">
    /// Modules import each other in a circle, or use an unknown form.
    /// </exception>
    public static string Build(string entry, Func<string, string> read)
    {
        var script = new StringBuilder("\"use strict\";\n");
        Add(entry, read, script, done: [], open: []);
        return script.ToString();
    }

    private static void Add(
        string name,
        Func<string, string> read,
        StringBuilder script,
        HashSet<string> done,
        HashSet<string> open
    )
    {
        if (done.Contains(name))
        {
            return;
        }

        if (!open.Add(name))
        {
            throw new InvalidOperationException($"{name} imports itself through other modules.");
        }

        var source = CommentPattern().Replace(read(name), "");
        foreach (Match match in ImportPattern().Matches(source))
        {
            Add(match.Groups["file"].Value, read, script, done, open);
        }

        var body = ImportPattern()
            .Replace(
                source,
                match => $"const {{{match.Groups["names"].Value}}} = {Variable(match.Groups["file"].Value)};"
            );
        var exports = new List<string>();
        body = ExportPattern()
            .Replace(
                body,
                match =>
                {
                    exports.Add(match.Groups["name"].Value);
                    return match.Groups["declaration"].Value;
                }
            );

        if (LeftoverPattern().Match(body) is { Success: true } leftover)
        {
            throw new InvalidOperationException($"{name}: not understood: {leftover.Value.Trim()}");
        }

        var result = string.Join(", ", exports);
        script.Append(
            $"\n// {name}\nconst {Variable(name)} = (() => {{\n{body.Trim()}\nreturn {{ {result} }};\n}})();\n"
        );
        open.Remove(name);
        done.Add(name);
    }

    private static string Variable(string name) => $"module_{Path.GetFileNameWithoutExtension(name)}";

    [GeneratedRegex(@"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CommentPattern();

    [GeneratedRegex(@"^import \{(?<names>[^}]*)\} from ""\./(?<file>\w+\.js)"";", RegexOptions.Multiline)]
    private static partial Regex ImportPattern();

    [GeneratedRegex(
        @"^export (?<declaration>(?:const|class|function|async function) (?<name>\w+))",
        RegexOptions.Multiline
    )]
    private static partial Regex ExportPattern();

    [GeneratedRegex(@"^(import|export)\b.*", RegexOptions.Multiline)]
    private static partial Regex LeftoverPattern();
}
