using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Tamx.Evaluation;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Cli;

/// <summary><c>tamx eval</c>: measures whether maps are true, on pictures whose objects are known.</summary>
internal sealed class EvalCommand
{
    /// <summary>A seed of scenes that no checkpoint of the demo model was trained on.</summary>
    private const int HeldOutSeed = 9001;

    private readonly ModelArguments _model = new();
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly Option<int> _scenes = new("--scenes")
    {
        Description = "Evaluate on so many generated scenes, whose masks are exact.",
        HelpName = "N",
    };

    private readonly Option<int> _seed = new("-s", "--seed")
    {
        Description = "Which scenes; also decides resamples and random orders.",
        HelpName = "S",
        DefaultValueFactory = _ => HeldOutSeed,
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Evaluate on a folder: anno.json, or annotations/instances_*.json with image/ and seg_label/.",
        HelpName = "DIR",
    };

    private readonly TextOption _prompt = new("-p", "--prompt")
    {
        Description = "With --data, the question. By default the paper's for such a folder.",
        HelpName = "TEXT",
    };

    private readonly Option<int> _maxTokens = new("-n", "--predict", "--n-predict")
    {
        Description = "Most tokens of an answer.",
        HelpName = "N",
        DefaultValueFactory = _ => new EvaluationOptions().MaxNewTokens,
    };

    private readonly Option<bool> _sweep = new("--sweep")
    {
        Description =
            "Also score nouns under every profile, ECI strength (0, 0.5, 1) and window (none, 3, 5), "
            + "from the same run.",
    };

    private readonly Option<string> _methods = new("--methods")
    {
        Description = "Whose maps to score: tam, lens, evidence and joint, with commas between.",
        HelpName = "M,...",
        DefaultValueFactory = _ => "tam",
    };

    private readonly LayerOption _layers = new(
        "--layers",
        "Which layers' maps to score: numbers from 0, \"last\" (the default) or \"all\", with commas between."
    );

    private readonly Option<string?> _against = new("--against")
    {
        Description =
            "Also compare the maps with those of this model, another quantization for example, "
            + "given the same answers.",
        HelpName = "MODEL.gguf",
    };

    private readonly Option<int> _limit = new("--limit")
    {
        Description = "Stop after so many pictures.",
        HelpName = "N",
    };

    private readonly Option<int> _curves = new("--curves")
    {
        Description = "Measure insertion and deletion curves on so many pictures, from the first; 0 for none.",
        HelpName = "N",
        DefaultValueFactory = _ => 10,
    };

    private readonly Option<int> _curveSteps = new("--curve-steps")
    {
        Description = "Steps of a curve.",
        HelpName = "N",
        DefaultValueFactory = _ => new EvaluationOptions().CurveStepCount,
    };

    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "Keep each picture's results in this file, and go on from what it holds.",
        HelpName = "FILE.jsonl",
    };

    private readonly Option<string?> _folder = new("--out")
    {
        Description = "Write tables, and reports of the best and worst pictures, to this folder.",
        HelpName = "DIR",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print the summary as JSON." };

    public static Command Create() => new EvalCommand().Build();

    private DocumentedCommand Build()
    {
        _scenes.RequireAtLeast(1);
        _seed.RequireAtLeast(0);
        _maxTokens.RequireAtLeast(1);
        _limit.RequireAtLeast(1);
        _curves.RequireAtLeast(0);
        _curveSteps.RequireWithin(1, 1000);
        var command = new DocumentedCommand(
            "eval",
            "Measures whether maps are true, on pictures whose objects are known.",
            ("tamx eval --scenes 20", "The demo model on twenty generated scenes."),
            (
                "tamx eval -m MODEL.gguf --mmproj MMPROJ.gguf --data coco --limit 50 --out results --resume log.jsonl",
                "Your model on a folder of pictures with masks; it can be interrupted and goes on."
            )
        )
        {
            _scenes,
            _seed,
            _data,
            _prompt,
            _maxTokens,
            _sweep,
            _methods,
            _layers,
            _against,
            _limit,
            _curves,
            _curveSteps,
            _resume,
            _folder,
            _json,
        };
        _methods.Validators.Add(result =>
        {
            foreach (var name in result.Tokens.SelectMany(token => token.Value.Split(',')))
            {
                if (FindMethod(name) is null)
                {
                    result.AddError(
                        $"{_methods.Name} {OutsideText.Quoted(name)}: there are tam, lens, evidence and joint."
                    );
                }
            }
        });
        _model.AddTo(command);
        _method.AddTo(command);
        _engine.AddTo(command);
        command.AddCheck(result =>
        {
            if (result.GetResult(_scenes) is null == result.GetResult(_data) is null)
            {
                result.AddError("Give either --scenes N or --data DIR.");
            }
            else if (result.GetResult(_scenes) is not null && result.GetResult(_prompt) is not null)
            {
                result.AddError("Scenes bring their own questions; -p goes with --data.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var options = ReadOptions(parsed);
        options.Tam.Validate();
        var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        var (folder, resume, other) = (parsed.GetValue(_folder), parsed.GetValue(_resume), parsed.GetValue(_against));
        var files = new CommandFiles().Reads(_data.Name, parsed.GetValue(_data)).Reads(_against.Name, other);
        _model.AddTo(files, parsed);
        files.WritesFile(_resume.Name, resume).WritesInto(_folder.Name, folder, ".json", ".csv", ".html");
        files.Check();
        options = options with { Sources = ReadSources(parsed, modelOptions), MeasuresWords = NamesSources(parsed) };
        var (samples, count) = ReadSamples(parsed);
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
        }

        using var log = resume is null ? null : ResultLog.Open(resume, Settings(parsed, modelOptions, options));
        var watch = Stopwatch.StartNew();
        var results = await MeasureAsync();
        var summary = EvaluationSummary.Of(results, options);
        var facts = new JsonObject
        {
            ["model"] = Path.GetFileName(modelOptions.ModelPath),
            ["profile"] = options.Tam.Profile.ToString().ToLowerInvariant(),
            ["eciStrength"] = options.Tam.EciStrength,
            ["kernel"] = options.Tam.KernelSize,
            ["seconds"] = watch.Elapsed.TotalSeconds,
        };
        if (folder is not null)
        {
            ResultFolder.WriteTables(folder, results, summary, facts);
        }

        output.WriteLine(parsed.GetValue(_json) ? summary.ToJson(facts) : summary.ToText());
        return ExitCode.Ok;

        async Task<IReadOnlyList<SampleResult>> MeasureAsync()
        {
            await using var progress = ProgressDisplay.Start(error);
            using var model = await VisionLanguageModel.LoadAsync(modelOptions, progress, cancellationToken);
            using var against = other is null
                ? null
                : await VisionLanguageModel.LoadAsync(
                    modelOptions with
                    {
                        ModelPath = other,
                    },
                    progress,
                    cancellationToken
                );
            var measured = await MapEvaluation.RunAsync(
                model,
                samples,
                count,
                options,
                against,
                engine,
                log,
                progress,
                cancellationToken
            );
            if (folder is not null)
            {
                await ResultFolder.WriteReportsAsync(
                    folder,
                    model,
                    samples,
                    measured,
                    options,
                    engine,
                    cancellationToken
                );
            }

            return measured;
        }
    }

    /// <summary>Whether the command line says what maps are scored; nouns then get curves of their own.</summary>
    private bool NamesSources(ParseResult parsed) =>
        parsed.GetResult(_methods) is { Implicit: false } || parsed.GetResult(_layers) is not null;

    private IReadOnlyList<MapSource> ReadSources(ParseResult parsed, ModelOptions model)
    {
        if (!NamesSources(parsed))
        {
            return [MapSource.LastLayer];
        }

        var layerCount = Preflight.CheckModel(GgufModel.Open(model.ModelPath)).LayerCount;
        var methods = parsed.GetRequiredValue(_methods).Split(',').Select(name => FindMethod(name)!.Value);
        var layers = _layers.Read(parsed, layerCount);
        return MapSource.Of(methods, layers.Count > 0 ? layers : [-1], layerCount);
    }

    private static MapMethod? FindMethod(string name) =>
        Enum.GetValues<MapMethod>()
            .Cast<MapMethod?>()
            .FirstOrDefault(method => method.ToString()!.Equals(name, StringComparison.OrdinalIgnoreCase));

    private EvaluationOptions ReadOptions(ParseResult parsed)
    {
        var tam = _method.Read(parsed);
        return new EvaluationOptions
        {
            Tam = tam,
            Kinds =
            [
                .. Enum.GetValues<MapKind>()
                    .Where(kind => tam.ApplyEci || kind is not (MapKind.Eci or MapKind.EciFilter))
                    .Where(kind => !_method.IsFilterOff(parsed) || kind is not (MapKind.Filter or MapKind.EciFilter)),
            ],
            Sweep = parsed.GetValue(_sweep) ? MapSetting.Sweep : [],
            MaxNewTokens = parsed.GetValue(_maxTokens),
            CurveSampleCount = parsed.GetValue(_curves),
            CurveStepCount = parsed.GetValue(_curveSteps),
            Seed = (ulong)parsed.GetValue(_seed),
        };
    }

    private (IEnumerable<EvaluationSample> Samples, int Count) ReadSamples(ParseResult parsed)
    {
        var limit = parsed.GetValue(_limit) is > 0 and var most ? most : int.MaxValue;
        if (parsed.GetValue(_data) is { } data)
        {
            var pictures = PictureFolder.Open(data);
            return (pictures.Samples(parsed.GetValue(_prompt)).Take(limit), Math.Min(pictures.Count, limit));
        }

        var count = Math.Min(parsed.GetValue(_scenes), limit);
        return (SceneSamples.Generate(parsed.GetValue(_seed), count), count);
    }

    /// <summary>Everything that a picture's results depend on. Engine and number of pictures do not matter.</summary>
    private object Settings(ParseResult parsed, ModelOptions model, EvaluationOptions options) =>
        new
        {
            Model = FileFacts(model.ModelPath),
            Projector = FileFacts(model.ProjectorPath),
            Against = FileFacts(parsed.GetValue(_against)),
            model.MinImageTokens,
            model.MaxImageTokens,
            Data = parsed.GetValue(_data) is { } data ? Path.GetFullPath(data) : "scenes",
            Prompt = parsed.GetValue(_prompt),
            Options = options,
        };

    private static object? FileFacts(string? path) =>
        path is null
            ? null
            : new { Name = Path.GetFileName(path), Bytes = File.Exists(path) ? new FileInfo(path).Length : 0 };
}
