using System.CommandLine;

namespace Tamx.Cli;

/// <summary>The options of the method that commands share.</summary>
internal sealed class MethodOptions
{
    private readonly Option<bool> _noEci = new("--no-eci")
    {
        Description = "Do not subtract what other words of the context explain.",
    };
    private readonly Option<bool> _noFilter = new("--no-filter")
    {
        Description = "Do not apply the rank-Gaussian filter.",
    };
    private readonly Option<int> _kernel = new("--kernel")
    {
        Description =
            "Side of the filter's window: 1, 3, 5, 7 or 9. Given, it applies the filter where the profile does not.",
        HelpName = "K",
        DefaultValueFactory = _ => new TamOptions().KernelSize,
    };

    private readonly Option<TamProfile> _profile = ChoiceOption<TamProfile>(
        "--profile",
        "Whose arithmetic to follow: tamx (the default), paper or tuned."
    );

    private readonly Option<string[]> _set = SetOption(
        "--set",
        "A single option of the method, over the profile's: --set eciStrength=0.5. docs/method.md names them; may be given several times."
    );

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        _kernel.RequireAtLeast(1);
        command.Options.Add(_noEci);
        command.Options.Add(_noFilter);
        command.Options.Add(_kernel);
        command.Options.Add(_profile);
        command.Options.Add(_set);
    }

    /// <summary>The method's options from the command line.</summary>
    public TamOptions Read(ParseResult parsed)
    {
        var preset = TamOptions.ForProfile(parsed.GetValue(_profile));
        var options = preset with
        {
            ApplyEci = preset.ApplyEci && !parsed.GetValue(_noEci),
            ApplyFilter =
                (preset.ApplyFilter || parsed.GetResult(_kernel) is { Implicit: false }) && !parsed.GetValue(_noFilter),
            KernelSize = parsed.GetValue(_kernel),
        };
        return Set(options, parsed.GetValue(_set));
    }

    /// <summary>An option that sets single options of the method.</summary>
    public static Option<string[]> SetOption(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "NAME=VALUE" };
        option.Validators.Add(result =>
        {
            try
            {
                _ = Set(new TamOptions(), [.. result.Tokens.Select(token => token.Value)]);
            }
            catch (InvalidInputException e)
            {
                result.AddError($"{name} {e.Message}.");
            }
        });
        return option;
    }

    /// <summary>The options with the assignments applied one by one.</summary>
    public static TamOptions Set(TamOptions options, string[]? assignments) =>
        (assignments ?? []).Aggregate(options, Set);

    /// <summary>Whether the command line itself, and not only the profile, switches the filter off.</summary>
    public bool IsFilterOff(ParseResult parsed) => parsed.GetValue(_noFilter);

    private static TamOptions Set(TamOptions options, string assignment) =>
        assignment.Split('=', 2) is [var name, var value]
            ? options.Set(name, value)
            : throw new InvalidInputException($"{assignment}: a name and a value are needed, as in eciStrength=0.5");

    /// <summary>An option whose value is one of an enumeration's names, in lower case.</summary>
    private static Option<T> ChoiceOption<T>(string name, string description)
        where T : struct, Enum
    {
        var choices = Array.ConvertAll(Enum.GetNames<T>(), choice => choice.ToLowerInvariant());
        var option = new Option<T>(name) { Description = description, HelpName = string.Join('|', choices) };
        option.RequireName();
        return option;
    }
}
