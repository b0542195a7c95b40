using System.CommandLine;
using Tamx.Kernels;

namespace Tamx.Cli;

/// <summary>The options of the method that commands share.</summary>
internal sealed class MethodOptions
{
    private const string Both = "both";

    private static readonly string[] Methods =
    [
        .. Enum.GetNames<MapMethod>().Select(name => name.ToLowerInvariant()),
        Both,
    ];

    private readonly Option<string> _method = new("--method")
    {
        Description =
            "Whose maps to show: tam, lens (a token's probability in each cell after a layer), evidence (what attention wrote towards the token), joint (the mean of these two), or both tam and evidence. By default the model's calibration decides (tamx calibrate), else tam.",
        HelpName = string.Join('|', Methods),
    };

    private readonly Option<int> _layer = new("--layer")
    {
        Description = "The layer that the maps of tam and lens are computed from: a number from 0, or \"last\".",
        HelpName = "K",
        CustomParser = LayerOption.ParseOne,
        DefaultValueFactory = _ => -1,
    };

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

    /// <summary>Adds the options that choose method and layer, where a command shows one run's maps.</summary>
    public void AddMethodTo(Command command)
    {
        _method.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }] && !Methods.Contains(name))
            {
                result.AddError($"{_method.Name} {OutsideText.Quoted(name)}: there are {string.Join(", ", Methods)}.");
            }
        });
        command.Options.Add(_method);
        command.Options.Add(_layer);
    }

    /// <summary>
    /// The further maps that a report shows: those of other layers, and evidence where both are asked for.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="trace">The run.</param>
    /// <param name="tam">How its first maps are computed.</param>
    /// <param name="layers">The layers, -1 for the last hidden states; evidence is of no layer.</param>
    /// <param name="engine">What computes them.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public IReadOnlyList<ActivationMaps> Others(
        ParseResult parsed,
        Trace trace,
        TamOptions tam,
        IReadOnlyList<int> layers,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        var further = layers.Where(layer => layer != tam.Layer && tam.Method != MapMethod.Evidence);
        var all = further.Select(layer => tam with { Layer = layer });
        return
        [
            .. all.Concat(ShowsBoth(parsed) ? [tam.WithMethod(MapMethod.Evidence)] : [])
                .Select(other => ActivationMaps.Compute(trace, other, engine, cancellationToken)),
        ];
    }

    /// <summary>Whether evidence maps are shown beside the others.</summary>
    public bool ShowsBoth(ParseResult parsed) => parsed.GetValue(_method) == Both;

    /// <summary>The method's options from the command line, or else from the model's calibration.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="calibration">The model's calibration, or null.</param>
    public TamOptions Read(ParseResult parsed, ModelCalibration? calibration)
    {
        var options = Read(parsed);
        Option[] choices = [_method, _layer, _noEci, _noFilter, _kernel, _profile, _set];
        if (choices.All(option => parsed.GetResult(option) is null or { Implicit: true }))
        {
            return calibration?.Apply(options) ?? options;
        }

        var method = Enum.TryParse<MapMethod>(parsed.GetValue(_method), ignoreCase: true, out var named)
            ? named
            : options.Method;
        var layer = parsed.GetResult(_layer) is { Implicit: false } ? parsed.GetValue(_layer) : options.Layer;

        // The filter blurs scores that lie in few cells (docs/truth.md); --kernel asks for it all the same.
        var keepsFilter = parsed.GetResult(_kernel) is { Implicit: false };
        var chosen = options.WithMethod(method, layer);
        return keepsFilter ? chosen with { ApplyFilter = options.ApplyFilter } : chosen;
    }

    /// <summary>The method's options from the command line, without method and layer.</summary>
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
