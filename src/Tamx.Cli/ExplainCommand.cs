using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Tamx.Evaluation;
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
    private readonly Option<bool> _noEos = new("--no-eos")
    {
        Description = "Do not explain the token that ends the answer.",
    };
    private readonly Option<int> _maxTokens = new("-n", "--predict", "--n-predict")
    {
        Description = "Most tokens to write; -1 for as many as the context holds.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().MaxNewTokens,
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
    private readonly Option<float> _temperature = new("--temp")
    {
        Description = "Sampling temperature; 0 takes the best token always.",
        HelpName = "T",
    };
    private readonly Option<int> _topK = new("--top-k")
    {
        Description = "Sample from the best k tokens; 0 for all.",
        HelpName = "K",
        DefaultValueFactory = _ => new CompletionOptions().TopK,
    };

    private readonly Option<float> _topP = new("--top-p")
    {
        Description = "Sample from the fewest tokens whose probabilities reach p.",
        HelpName = "P",
        DefaultValueFactory = _ => new CompletionOptions().TopP,
    };

    private readonly Option<float> _minP = new("--min-p")
    {
        Description = "Sample from tokens at least this share as probable as the best one; 0 for all.",
        HelpName = "P",
        DefaultValueFactory = _ => new CompletionOptions().MinP,
    };

    private readonly Option<float> _presencePenalty = new("--presence-penalty")
    {
        Description = "Taken off the logit of tokens that the answer holds already; also with --temp 0.",
        HelpName = "N",
    };

    private readonly Option<float> _frequencyPenalty = new("--frequency-penalty")
    {
        Description = "Taken off a token's logit for each time that the answer holds it.",
        HelpName = "N",
    };

    private readonly Option<float> _repeatPenalty = new("--repeat-penalty")
    {
        Description = "What logits of tokens that the answer holds already are divided by; 1 for no change.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().RepeatPenalty,
    };

    private readonly Option<int> _repeatLastN = new("--repeat-last-n")
    {
        Description = "Last tokens of the answer that penalties look at; 0 for none, -1 for all.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().RepeatLastN,
    };

    private readonly LogitBiasOption _logitBias = new();

    private readonly TextListOption _stopTexts = new("--stop", "-r", "--reverse-prompt")
    {
        Description = "End the answer before this text; may be given several times.",
        HelpName = "TEXT",
    };

    private readonly Option<string> _reasoning = new("--reasoning")
    {
        Description = "Whether the answer begins with a thought, where the model's template has a switch for it.",
        HelpName = "on|off|auto",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<uint> _seed = new("-s", "--seed") { Description = "Seed of the sampling.", HelpName = "N" };
    private readonly Option<int> _candidates = new("--candidates")
    {
        Description = "Best tokens to explain at each step.",
        HelpName = "K",
        DefaultValueFactory = _ => new ExplainOptions().Completion.CandidateCount,
    };

    private readonly Option<int> _context = new("-c", "--ctx-size")
    {
        Description = "Context size in tokens; 0 for as much as is needed.",
        HelpName = "N",
    };

    private readonly LayerOption _layers = new(
        "--layers",
        "Keep these layers' hidden states in the trace, too (--save-trace): numbers from 0, or \"all\", with commas between."
    );

    private readonly Option<bool> _verdicts = new("--verdicts")
    {
        Description =
            "Measure for each word how far the picture supports it: the model reads the answer once more with a neutral picture.",
    };

    private readonly Option<bool> _check = new("--check")
    {
        Description =
            "Check the maps of the answer's content words: their probability while lit cells are hidden, and shown alone. About 24 runs of the model per word.",
    };

    private ExplainCommand() => _conversation = new ConversationArguments(_model);

    public static Command Create() => new ExplainCommand().Build();

    private DocumentedCommand Build()
    {
        _maxTokens.RequireAtLeast(-1);
        _maxTokens.Refuse(0, "it must be at least 1, or -1 for as many as the context holds");
        _topK.RequireAtLeast(0);
        _candidates.RequireWithin(0, 1000);
        _context.RequireAtLeast(0);
        _temperature.RequireWithin(0, 100);
        _topP.RequireWithin(0, 1);
        _minP.RequireWithin(0, 1);
        _presencePenalty.RequireWithin(-100, 100);
        _frequencyPenalty.RequireWithin(-100, 100);
        _repeatPenalty.RequireWithin(0.01f, 100);
        _repeatLastN.RequireAtLeast(-1);
        _seed.RequireAtLeast(0u);
        _reasoning.AcceptOnlyFromAmong("on", "off", "auto");
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
            _maxTokens,
            _output,
            _trace,
            _json,
            _temperature,
            _topK,
            _topP,
            _minP,
            _presencePenalty,
            _frequencyPenalty,
            _repeatPenalty,
            _repeatLastN,
            _stopTexts,
            _reasoning,
            _seed,
            _candidates,
            _context,
        };
        _conversation.AddTo(command);
        _logitBias.AddTo(command);
        _model.AddTo(command);
        command.Options.Add(_verdicts);
        command.Options.Add(_check);
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
            Completion = new CompletionOptions
            {
                MaxNewTokens = parsed.GetValue(_maxTokens) is > 0 and var most ? most : int.MaxValue,
                ContextSize = parsed.GetValue(_context),
                Temperature = parsed.GetValue(_temperature),
                TopK = parsed.GetValue(_topK),
                TopP = parsed.GetValue(_topP),
                MinP = parsed.GetValue(_minP),
                PresencePenalty = parsed.GetValue(_presencePenalty),
                FrequencyPenalty = parsed.GetValue(_frequencyPenalty),
                RepeatPenalty = parsed.GetValue(_repeatPenalty),
                RepeatLastN = parsed.GetValue(_repeatLastN),
                LogitBias = _logitBias.Read(parsed),
                StopTexts = parsed.GetValue(_stopTexts) ?? [],
                Thinking = parsed.GetValue(_reasoning) switch
                {
                    "on" => true,
                    "off" => false,
                    _ => null,
                },
                Seed = parsed.GetValue(_seed),
                CandidateCount = parsed.GetValue(_candidates),
            },
        };

        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        LlamaRuntime.RequireDevice(modelOptions.Device);
        if (modelOptions.GpuLayerCount != 0 && !LlamaRuntime.Devices.Any(device => device.IsGpu))
        {
            error.WriteLine(
                "llama.cpp finds no GPU here, so -ngl does nothing; libraries for GPUs are built in with -p:TamxBackend=Vulkan or Cuda12"
            );
        }

        var display = new AnswerDisplay(context, files.TakesStandardOutput is not null);
        var load = Stopwatch.StartNew();
        var (explanation, supports, checks) = await ExplainAsync();
        ActivationMaps[] others = _method.ShowsBoth(parsed)
            ? [ActivationMaps.Compute(explanation.Trace, MethodOptions.EvidenceOf(tam), engine, cancellationToken)]
            : [];
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

            await _mapsJson.WriteAsync(parsed, explanation.Trace, explanation.Maps, cancellationToken);
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
                            Supports = supports,
                            Checks = checks,
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
                    ExplainSummary.Of(
                        explanation,
                        supports,
                        checks,
                        calibration,
                        wasStopped,
                        reportPath,
                        tracePath,
                        seconds
                    ),
                    ExplainSummary.Json
                )
            );
        }
        else
        {
            display.Show(explanation.Text);
            foreach (var check in checks)
            {
                error.WriteLine(OutsideText.Line(check.Sentence));
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

        async Task<(Explanation, IReadOnlyList<WordSupport>, IReadOnlyList<MapCheck>)> ExplainAsync()
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
            var support = parsed.GetValue(_verdicts)
                ? await WordSupport.MeasureAsync(
                    model,
                    messages,
                    explained,
                    calibration,
                    cancellationToken: cancellationToken
                )
                : [];
            return (explained, support, await CheckAsync(model, explained));
        }

        async Task<IReadOnlyList<MapCheck>> CheckAsync(VisionLanguageModel model, Explanation explained)
        {
            List<MapCheck> found = [];
            foreach (var (index, word) in explained.Maps.Words.Index())
            {
                if (
                    parsed.GetValue(_check)
                    && ContentWords.Contains(word.Word.Text)
                    && await MapCheck.MeasureAsync(
                        model,
                        messages,
                        explained.Maps,
                        index,
                        cancellationToken: cancellationToken
                    )
                        is { } check
                )
                {
                    found.Add(check);
                }
            }

            return found;
        }
    }
}
