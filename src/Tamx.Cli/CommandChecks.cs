using System.CommandLine;
using System.CommandLine.Parsing;

namespace Tamx.Cli;

internal static class CommandChecks
{
    /// <summary>Checks what a command's options say together.</summary>
    public static void AddCheck(this Command command, Action<CommandResult> check) =>
        command.Validators.Add(result =>
        {
            try
            {
                check(result);
            }
            catch (InvalidOperationException)
            {
                // An option that lacks its value throws when it is asked for it. The parser says so itself.
            }
        });
}
