using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Tamx.Evaluation;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Cli;

/// <summary><c>tamx calibrate</c>: finds the method and layer with the truest maps of a model.</summary>
internal sealed class CalibrateCommand
{
    /// <summary>A seed of scenes besides those of training and evaluation.</summary>
    private const int DefaultSeed = 4242;

    private readonly ModelArguments _model = new();
    private readonly EngineArguments _engine = new();
    private readonly Option<int> _scenes = new("--scenes")
    {
        Description = "So many generated scenes, whose masks are exact.",
        HelpName = "N",
        DefaultValueFactory = _ => 30,
    };

    private readonly Option<int> _seed = new("-s", "--seed")
    {
        Description = "Which scenes.",
        HelpName = "S",
        DefaultValueFactory = _ => DefaultSeed,
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description =
            "In place of scenes a folder: anno.json, or annotations/instances_*.json with image/ and seg_label/. It gives no thresholds for verdicts.",
        HelpName = "DIR",
    };

    private readonly Option<int> _limit = new("--limit")
    {
        Description = "With --data, so many pictures.",
        HelpName = "N",
        DefaultValueFactory = _ => 50,
    };

    private readonly LayerOption _layers = new(
        "--layers",
        "Layers to compare: numbers from 0, \"last\" or \"all\" (the default), with commas between."
    );

    private readonly Option<bool> _json = new("--json") { Description = "Print the calibration as JSON." };

    public static Command Create() => new CalibrateCommand().Build();

    private DocumentedCommand Build()
    {
        _scenes.RequireWithin(1, 10_000);
        _seed.RequireAtLeast(0);
        _limit.RequireWithin(1, 10_000);
        var command = new DocumentedCommand(
            "calibrate",
            "Finds the method and layer with the truest maps of a model, and the thresholds of verdicts; tamx explain then uses them.",
            ("tamx calibrate", "The demo model on thirty generated scenes."),
            (
                "tamx calibrate -m MODEL.gguf --mmproj MMPROJ.gguf --data coco --limit 50 --layers 12,16,20,24,last",
                "Your model on pictures with masks, and some of its layers."
            )
        )
        {
            _scenes,
            _seed,
            _data,
            _limit,
            _layers,
            _json,
        };
        _model.AddTo(command);
        _engine.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        var files = new CommandFiles().Reads(_data.Name, parsed.GetValue(_data));
        _model.AddTo(files, parsed);
        files.Check();
        var facts = Preflight.CheckModel(GgufModel.Open(modelOptions.ModelPath));
        var layers = _layers.Read(parsed, facts.LayerCount);
        var options = new EvaluationOptions
        {
            Tam = TamOptions.ForProfile(TamProfile.Tuned) with { ApplyFilter = true },
            Sources = MapSource.Of(
                Enum.GetValues<MapMethod>(),
                layers.Count > 0 ? layers : LayerOption.AllOf(facts.LayerCount),
                facts.LayerCount
            ),
            MaxNewTokens = 64,
        };
        var (samples, data) = ReadSamples(parsed);
        ModelCalibration calibration;
        await using (var progress = ProgressDisplay.Start(error))
        {
            using var model = await VisionLanguageModel.LoadAsync(modelOptions, progress, cancellationToken);
            calibration = await ModelCalibrator.RunAsync(
                model,
                samples,
                data,
                options,
                engine,
                progress,
                cancellationToken
            );
        }

        var path = calibration.Save(facts);
        output.WriteLine(
            parsed.GetValue(_json)
                ? JsonSerializer.Serialize(calibration, JsonSerializerOptions.Web)
                : Text(calibration)
        );
        error.WriteLine(OutsideText.Line($"{path}: kept; tamx explain uses it from now on."));
        return ExitCode.Ok;
    }

    private (IReadOnlyCollection<EvaluationSample> Samples, string Data) ReadSamples(ParseResult parsed)
    {
        if (parsed.GetValue(_data) is { } folder)
        {
            EvaluationSample[] pictures = [.. PictureFolder.Open(folder).Samples(null).Take(parsed.GetValue(_limit))];
            return (pictures, Invariant($"{pictures.Length} pictures of {Path.GetFileName(Path.GetFullPath(folder))}"));
        }

        var (count, seed) = (parsed.GetValue(_scenes), parsed.GetValue(_seed));
        return ([.. SceneSamples.Generate(seed, count)], Invariant($"{count} generated scenes (seed {seed})"));
    }

    private static string Text(ModelCalibration calibration)
    {
        var lines = new List<string> { "method    layer  maps         Obj-IoU  pointing" };
        lines.AddRange(
            calibration.Profile.Select(row =>
                Invariant(
                    $"{row.Method.ToString().ToLowerInvariant(), -9} {(row.Layer < 0 ? "last" : $"{row.Layer}"), -6} {row.Maps, -12} {row.ObjIou:0.000}    {row.Pointing:0.000}"
                )
            )
        );
        lines.Add(calibration.Describe());
        lines.Add(
            calibration.UnsupportedAuroc is { } auroc
                ? Invariant(
                    $"verdicts: seen from a gain of {calibration.SeenGain:0.00} ({calibration.SeenError:P0} wrong), unsupported from an opposition of {calibration.UnsupportedOpposition:0.00} ({calibration.UnsupportedError:P0} wrong; AUROC {auroc:0.000}); presence at {(calibration.PresenceLayer < 0 ? "the last layer" : $"layer {calibration.PresenceLayer}")} (AUROC {calibration.PresenceAuroc:0.000})"
                )
                : "verdicts: no thresholds, since these pictures have no right answers in words"
        );
        return string.Join('\n', lines);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
