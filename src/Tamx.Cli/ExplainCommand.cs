using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Gguf;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary><c>tamx explain</c>: a model and a picture or video in, a report out.</summary>
internal sealed class ExplainCommand
{
    private readonly ModelArguments _model = new();
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly ConversationArguments _conversation;
    private readonly CompletionArguments _completion = new();
    private readonly RegionArguments _region = new();
    private readonly TruthArguments _truth = new();
    private readonly Option<bool> _noEos = new("--no-eos")
    {
        Description = "Do not explain the token that ends the answer.",
    };
    private readonly Option<string> _output = new("-o", "--output")
    {
        Description = "The report to write; - for stdout.",
        HelpName = "FILE.html|-",
        DefaultValueFactory = _ => "tamx-report.html",
    };

    private readonly Option<string?> _trace = new("--save-trace")
    {
        Description = "Keep what the maps are computed from, for tamx maps; - for stdout.",
        HelpName = "FILE.safetensors|-",
    };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Print the answer's tokens with their candidates, and timings, to stdout.",
    };
    private readonly MapsJsonOutput _mapsJson = new();
    private readonly ReportArguments _report = new();
    private readonly ExportArguments _export = new();
    private readonly LayerOption _layers = new(
        "--layers",
        "Show the maps of these layers in the report, too, and keep their hidden states in the trace (--save-trace): numbers from 0, \"last\" or \"all\", with commas between."
    );

    private ExplainCommand() => _conversation = new ConversationArguments(_model);

    public static Command Create() => new ExplainCommand().Build();

    private DocumentedCommand Build()
    {
        var command = new DocumentedCommand(
            "explain",
            "Asks a model about pictures and videos and writes a report that shows where each token of the answer came from.",
            (
                "tamx explain -m MODEL.gguf --mmproj MMPROJ.gguf --image photo.jpg -p \"What does the sign say?\" -o sign.html",
                "Ask about a picture."
            ),
            (
                "tamx explain --image a.jpg b.jpg -p \"What is different?\" -n 64 --save-trace run.safetensors",
                "Two pictures in one question; keep the run for tamx report and tamx maps."
            ),
            ("cat photo.jpg | tamx explain --image - -o - > report.html", "Read and write through pipes.")
        )
        {
            _noEos,
            _output,
            _trace,
            _json,
        };
        _conversation.AddTo(command);
        _completion.AddTo(command);
        _region.AddTo(command);
        _model.AddTo(command);
        _truth.AddTo(command);
        command.Options.Add(_layers);
        _method.AddMethodTo(command);
        _method.AddTo(command);
        _engine.AddTo(command);
        _mapsJson.AddTo(command);
        _report.AddTo(command);
        _export.AddTo(command);
        _conversation.AddChecksTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    /// <summary>What became of the answer's likelihood through the region; none without a region.</summary>
    private static IEnumerable<string> RegionSentences(Trace trace) =>
        trace.RegionChanges is { } changes
            ?
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Through the region, ln p of the answer changes by {changes.Sum():+0.00;-0.00;0.00}."
                ),
            ]
            : [];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var context = CommandContext.Of(parsed);
        var error = context.Error;
        var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
        // Loading a model is slow, and an engine takes memory, so the command's files are checked first.
        var reportPath = parsed.GetRequiredValue(_output);
        var tracePath = parsed.GetValue(_trace);
        var files = new CommandFiles();
        _conversation.AddTo(files, parsed);
        _model.AddTo(files, parsed);
        files
            .Writes(_output.Name, reportPath)
            .Writes(_trace.Name, tracePath)
            .Prints(_json.Name, parsed.GetValue(_json));
        _mapsJson.AddTo(files, parsed);
        _export.AddTo(files, parsed);
        files.Check();

        var messages = await _conversation.ReadAsync(parsed, cancellationToken);
        var facts = Preflight.CheckModel(GgufModel.Open(modelOptions.ModelPath));
        var calibration = ModelCalibration.Find(facts);
        var tam = _method.Read(parsed, calibration);
        tam.Validate();
        var options = new ExplainOptions
        {
            Tam = tam,
            Layers = [.. _layers.Read(parsed, facts.LayerCount), calibration?.PresenceLayer ?? -1],
            CaptureEvidence = _method.ShowsBoth(parsed),
            ExplainEndToken = !parsed.GetValue(_noEos),
            Completion = _completion.Read(parsed) with
            {
                Region = _region.Read(parsed) is { } region ? calibration?.Apply(region) ?? region : null,
            },
        };

        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        LlamaRuntime.RequireDevices(modelOptions);
        if (modelOptions.GpuLayerCount != 0 && !LlamaRuntime.Devices.Any(device => device.IsGpu))
        {
            error.WriteLine(
                "llama.cpp finds no GPU here, so -ngl does nothing; libraries for GPUs are built in with -p:TamxBackend=Vulkan or Cuda12"
            );
        }

        var display = new AnswerDisplay(context, files.TakesStandardOutput is not null);
        var load = Stopwatch.StartNew();
        var (explanation, truth) = await ExplainAsync();
        var others = _method.Others(
            parsed,
            explanation.Trace,
            tam,
            _layers.Read(parsed, facts.LayerCount),
            engine,
            cancellationToken
        );
        var wasStopped = context.Interruption.Stop.IsCancellationRequested && explanation.StopReason == StopReason.None;
        var write = Stopwatch.StartNew();
        try
        {
            if (tracePath is not null)
            {
                await OutputFile.WriteAsync(
                    context,
                    tracePath,
                    stream => TraceFile.Save(explanation.Trace, stream),
                    cancellationToken
                );
            }

            await _mapsJson.WriteAsync(
                parsed,
                explanation.Trace,
                explanation.Maps,
                cancellationToken,
                truth.Supports,
                calibration?.Describe()
            );
            await _export.WriteAsync(parsed, explanation.Trace, explanation.Maps, cancellationToken);
            await OutputFile.WriteAsync(
                context,
                reportPath,
                stream =>
                    HtmlReport.WriteAsync(
                        explanation.Trace,
                        explanation.Maps,
                        stream,
                        _report.Read(parsed) with
                        {
                            Others = others,
                            Supports = truth.Supports,
                            Checks = truth.Checks,
                            Calibration = calibration?.Describe(),
                        },
                        cancellationToken
                    ),
                cancellationToken
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The answer must not be lost with the file.
            var place = display.Save(explanation.Text);
            throw new InvalidInputException(
                $"{e.Message}; the answer is on {place}. Give {_output.Name} and {_trace.Name} a place with room: tamx report makes the report of a saved trace again",
                e
            );
        }

        var seconds = new Dictionary<string, double>(explanation.Trace.Run.Seconds)
        {
            ["load"] = load.Elapsed.TotalSeconds,
            ["write"] = write.Elapsed.TotalSeconds,
        };

        if (parsed.GetValue(_json))
        {
            context.Output.WriteLine(
                JsonSerializer.Serialize(
                    ExplainSummary.Of(explanation, truth, calibration, wasStopped, reportPath, tracePath, seconds),
                    ExplainSummary.Json
                )
            );
        }
        else
        {
            display.Show(explanation.Text);
            foreach (
                var sentence in truth
                    .Checks.Select(check => check.Sentence)
                    .Concat(truth.Searches.Select(search => search.Sentence))
                    .Concat(RegionSentences(explanation.Trace))
            )
            {
                error.WriteLine(OutsideText.Line(sentence));
            }
        }

        _model.NoteDemo(parsed);

        if (explanation.StopReason == StopReason.ContextFull)
        {
            error.WriteLine("The answer was cut off: the context is full. A larger one can be given with -c.");
        }

        var end = wasStopped ? "; stopped by Ctrl+C, so this is the answer's part until there" : "";
        error.WriteLine(
            OutsideText.Line(
                $"{OutputFile.Describe(reportPath)}: {explanation.Maps.Answer.Count} tokens explained; open it in a browser{end}."
            )
        );
        return wasStopped ? ExitCode.Cancelled : ExitCode.Ok;

        async Task<(Explanation, MeasuredTruth)> ExplainAsync()
        {
            await using var progress = ProgressDisplay.Start(error);
            using var model = await VisionLanguageModel.LoadAsync(modelOptions, progress, cancellationToken);
            load.Stop();
            using var live = await Explainer.StartAsync(model, messages, options, engine, progress, cancellationToken);
            var prompt = live.TokenIds[..live.PromptTokenCount];
            var opening = new AnswerText(MarkerIds.Find(model.Vocabulary), prompt).Whole;
            await foreach (var token in live.WriteAsync(cancellationToken))
            {
                context.Interruption.KeepPart();
                if (display.IsLive)
                {
                    await progress.EndAsync();
                    display.Write(opening + token.Text);
                    opening = "";
                }

                if (context.Interruption.Stop.IsCancellationRequested)
                {
                    break;
                }
            }

            var explained = await live.ExplainWrittenAsync(cancellationToken);
            var seen = options.Completion.Region?.Apply(messages) ?? messages;
            return (
                explained,
                await _truth.MeasureAsync(parsed, model, seen, explained, calibration, cancellationToken)
            );
        }
    }
}
