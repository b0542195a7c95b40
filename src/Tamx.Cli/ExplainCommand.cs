using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary><c>tamx explain</c>: a model and a picture or video in, a report out.</summary>
internal sealed class ExplainCommand
{
    public const string DefaultPrompt = "Describe this image.";
    private const string DefaultVideoPrompt = "Describe this video.";

    private readonly ModelArguments _model = new();
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly VideoArguments _videos = new();
    private readonly Option<string[]> _images = new("--image")
    {
        Description = "Pictures (JPEG, PNG, WebP, GIF, BMP), one or several; - for stdin.",
        HelpName = "FILE|-",
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly TextOption _prompt = new("-p", "--prompt")
    {
        Description = $"The question; - for stdin. By default \"{DefaultPrompt}\" or \"{DefaultVideoPrompt}\"",
        HelpName = "TEXT|-",
    };
    private readonly Option<string?> _messages = new("--messages")
    {
        Description =
            "A conversation as OpenAI-style JSON, in place of --image, --video and -p; if its last message is the assistant's, that answer is explained; - for stdin.",
        HelpName = "FILE.json|-",
    };

    private readonly TextOption _answer = new("--answer")
    {
        Description = "Explain this answer; nothing is generated; - for stdin.",
        HelpName = "TEXT|-",
    };
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
            _images,
            _prompt,
            _messages,
            _answer,
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
            _seed,
            _candidates,
            _context,
        };
        _logitBias.AddTo(command);
        _videos.AddTo(command);
        _model.AddTo(command);
        _method.AddTo(command);
        _engine.AddTo(command);
        _mapsJson.AddTo(command);
        _report.AddTo(command);
        _export.AddTo(command);
        command.AddCheck(result =>
        {
            if (
                result.GetValue(_messages) is not null
                && (
                    result.GetValue(_prompt) is not null
                    || result.GetValue(_images) is { Length: > 0 }
                    || _videos.IsGiven(result)
                )
            )
            {
                result.AddError("--messages takes the place of --image, --video and -p; give one or the other.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var context = CommandContext.Of(parsed);
        var error = context.Error;
        var tam = _method.Read(parsed);
        tam.Validate();
        var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
        var options = new ExplainOptions
        {
            Tam = tam,
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
                Seed = parsed.GetValue(_seed),
                CandidateCount = parsed.GetValue(_candidates),
            },
        };

        // Loading a model is slow, and an engine takes memory, so the command's files are checked first.
        var reportPath = parsed.GetRequiredValue(_output);
        var tracePath = parsed.GetValue(_trace);
        var files = new CommandFiles()
            .ReadsFileOrInput(_images.Name, parsed.GetValue(_images) ?? [])
            .ReadsFileOrInput(_messages.Name, parsed.GetValue(_messages))
            .ReadsTextOrInput(_prompt.Name, parsed.GetValue(_prompt))
            .ReadsTextOrInput(_answer.Name, parsed.GetValue(_answer));
        _model.AddTo(files, parsed);
        _videos.AddTo(files, parsed);
        files
            .Writes(_output.Name, reportPath)
            .Writes(_trace.Name, tracePath)
            .Prints(_json.Name, parsed.GetValue(_json));
        _mapsJson.AddTo(files, parsed);
        _export.AddTo(files, parsed);
        files.Check();

        // Ctrl+C also ends the wait for a pipe that nobody writes to.
        var messages = await Task.Run(() => ReadMessages(parsed, cancellationToken), cancellationToken)
            .WaitAsync(cancellationToken);

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
        var explanation = await ExplainAsync();
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
                        _report.Read(parsed),
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
                    ExplainSummary.Of(explanation, wasStopped, reportPath, tracePath, seconds),
                    ExplainSummary.Json
                )
            );
        }
        else
        {
            display.Show(explanation.Text);
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

        async Task<Explanation> ExplainAsync()
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

            return await live.ExplainWrittenAsync(cancellationToken);
        }
    }

    private List<ChatTurn> ReadMessages(ParseResult parsed, CancellationToken cancellationToken)
    {
        List<ChatTurn> messages = parsed.GetValue(_messages) switch
        {
            null => [new(TurnRole.User, ReadParts(parsed, cancellationToken))],
            StandardStream.Name => [.. StandardStream.ReadConversation(CommandContext.Of(parsed), cancellationToken)],
            var path => [.. ChatJson.Open(path, cancellationToken)],
        };
        if (ReadText(parsed, _answer) is { } answer)
        {
            messages.Add(new ChatTurn(TurnRole.Assistant, answer));
        }

        return messages;
    }

    private List<ChatPart> ReadParts(ParseResult parsed, CancellationToken cancellationToken)
    {
        var paths = parsed.GetValue(_images) ?? [];
        var prompt = ReadText(parsed, _prompt);
        var videos = _videos.Read(parsed, cancellationToken);
        if (paths.Length == 0 && videos.Count == 0 && _model.IsDemo(parsed))
        {
            paths = [DemoFiles.Picture];
        }

        if (paths.Length == 0 && videos.Count == 0 && prompt is null)
        {
            throw new InvalidInputException(
                "nothing to ask about: give a picture (--image FILE), a video (--video FILE), a question (-p TEXT), or several of these"
            );
        }

        return
        [
            .. paths.Select(path =>
                path == StandardStream.Name
                    ? StandardStream.ReadPicture(CommandContext.Of(parsed))
                    : ImagePart.FromFile(path)
            ),
            .. videos,
            new TextPart(prompt ?? (videos.Count > 0 ? DefaultVideoPrompt : DefaultPrompt)),
        ];
    }

    /// <summary>The text of an option, which may stand in standard input.</summary>
    private static string? ReadText(ParseResult parsed, TextOption option) =>
        parsed.GetValue(option) is StandardStream.Name
            ? StandardStream.ReadText(CommandContext.Of(parsed))
            : parsed.GetValue(option);
}
