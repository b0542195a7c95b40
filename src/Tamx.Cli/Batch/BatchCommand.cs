using System.CommandLine;
using System.Text.Json.Nodes;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Cli.Batch;

/// <summary><c>tamx batch</c>: explains the answers to a whole data set, one shard after or beside another.</summary>
internal sealed class BatchCommand
{
    private readonly ModelArguments _model = new();
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly CompletionArguments _completion = new();
    private readonly RegionArguments _region = new();
    private readonly TruthArguments _truth = new();
    private readonly Argument<string> _input = new("IN")
    {
        Description =
            "The rows: a folder of pictures, .jsonl, .tar (WebDataset) or .parquet; with --merge a folder of shards.",
    };

    private readonly Option<string> _output = new("-o", "--output")
    {
        Description = "The folder for the shards; with --merge the file to write, .tar or .parquet.",
        HelpName = "OUT",
        Required = true,
    };

    private readonly TextOption _prompt = new("-p", "--prompt")
    {
        Description =
            $"The question of rows without one of their own. By default \"{ConversationArguments.DefaultPrompt}\"",
        HelpName = "TEXT",
    };

    private readonly Option<BatchShard?> _shard = new("--shard")
    {
        Description =
            "Work on part I of N, I from 0. By default what Slurm's array or an indexed job of Kubernetes says, else all.",
        HelpName = "I/N",
        CustomParser = result =>
        {
            var shard = BatchShard.Parse(result.Tokens[0].Value);
            if (shard is null)
            {
                result.AddError(
                    $"--shard {OutsideText.Quoted(result.Tokens[0].Value)}: give I/N with I from 0 and less than N, as in 0/4."
                );
            }

            return shard;
        },
    };

    private readonly Option<int> _workers = new("--workers")
    {
        Description = "Processes that work side by side, each on a part of the shard; they share the model's weights.",
        HelpName = "W",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<long> _maxErrors = new("--max-errors")
    {
        Description = "End when more rows than this have failed. By default no number is too many.",
        HelpName = "N",
        DefaultValueFactory = _ => long.MaxValue,
    };

    private readonly Option<bool> _merge = new("--merge")
    {
        Description = "Bring the shards of the folder IN together, in the order of their rows. No model is needed.",
    };

    private readonly Option<bool> _pictures = new("--png")
    {
        Description = "Also draw the maps of each answer's content words.",
    };

    public static Command Create() => new BatchCommand().Build();

    private DocumentedCommand Build()
    {
        _workers.RequireWithin(1, 256);
        _maxErrors.RequireAtLeast(0L);
        var command = new DocumentedCommand(
            "batch",
            "Explains the answers to a whole data set: shards that can be interrupted, and go on where they were.",
            (
                "tamx batch photos -o out -m MODEL.gguf --mmproj MMPROJ.gguf -p \"What is this?\"",
                "A folder of pictures."
            ),
            ("tamx batch rows.jsonl -o out --shard 0/4", "The first of four parts; another machine does the next."),
            ("tamx batch --merge out -o all.parquet", "All shards as one table.")
        )
        {
            _input,
            _output,
            _prompt,
            _shard,
            _workers,
            _maxErrors,
            _merge,
            _pictures,
        };
        _model.AddTo(command);
        _completion.AddTo(command);
        _region.AddTo(command);
        _truth.AddTo(command);
        _method.AddMethodTo(command);
        _method.AddTo(command);
        _engine.AddTo(command);
        command.AddCheck(result =>
        {
            if (
                result.GetValue(_merge)
                && !(Path.GetExtension(result.GetValue(_output) ?? ".tar").ToLowerInvariant() is ".tar" or ".parquet")
            )
            {
                result.AddError("--merge writes a .tar or a .parquet: -o all.tar, for example.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var context = CommandContext.Of(parsed);
        var (path, output) = (parsed.GetRequiredValue(_input), parsed.GetRequiredValue(_output));
        if (parsed.GetValue(_merge))
        {
            new CommandFiles().Reads("IN", path).WritesFile(_output.Name, output).Check();
            return End(context, await BatchMerge.WriteAsync(path, output, cancellationToken), output);
        }

        var files = new CommandFiles().Reads("IN", path);
        _model.AddTo(files, parsed);
        files.WritesInto(_output.Name, output, ".tar", ".done", ".part");
        files.Check();
        var shard = parsed.GetValue(_shard) ?? BatchShard.OfScheduler(Environment.GetEnvironmentVariable);
        if (parsed.GetValue(_workers) is > 1 and var workers)
        {
            var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
            var facts = Preflight.CheckModel(GgufModel.Open(modelOptions.ModelPath));
            RequireMemory(context, modelOptions, facts, Options(parsed, ModelCalibration.Find(facts)), workers);
            return await BatchWorkers.RunAsync(parsed, _shard, _workers, _engine, shard, workers, cancellationToken);
        }

        using var duty = BatchWorkers.Duty(context);
        var rows = BatchInput.Open(path, parsed.GetValue(_prompt) ?? ConversationArguments.DefaultPrompt);
        return await RunShardAsync(parsed, context, rows, shard, output, duty, cancellationToken);
    }

    private async Task<int> RunShardAsync(
        ParseResult parsed,
        CommandContext context,
        BatchInput rows,
        BatchShard shard,
        string folder,
        WorkerDuty? duty,
        CancellationToken cancellationToken
    )
    {
        var modelOptions = _model.Read(parsed, _engine.ThreadCount(parsed));
        var facts = Preflight.CheckModel(GgufModel.Open(modelOptions.ModelPath));
        var calibration = ModelCalibration.Find(facts);
        var options = Options(parsed, calibration);
        Directory.CreateDirectory(folder);
        BatchManifest.Require(folder, Facts(parsed, rows, shard, modelOptions, options, calibration));
        if (ShardFile.IsComplete(folder, shard))
        {
            context.Error.WriteLine($"{shard.Name}: is complete already");
            return End(context, ShardFile.SummaryOf(folder, shard), ShardFile.PathOf(folder, shard));
        }

        if (duty is null)
        {
            RequireMemory(context, modelOptions, facts, options, workers: 1);
        }

        using var results = ShardFile.Open(folder, shard);
        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        using var model = await VisionLanguageModel.LoadAsync(modelOptions, null, cancellationToken);
        using var cache = new PromptCache();
        var run = new BatchRun(
            model,
            engine,
            options with
            {
                Completion = options.Completion with { PromptCache = cache },
            },
            calibration,
            (turns, explained) => _truth.MeasureAsync(parsed, model, turns, explained, calibration, cancellationToken),
            context.Error
        )
        {
            Pictures = parsed.GetValue(_pictures),
            MostErrors = parsed.GetValue(_maxErrors),
            Begins = duty?.Begins,
            FatalPlace = duty?.FatalPlace,
        };
        context.Interruption.KeepPart();
        if (!await run.RunAsync(rows, shard, results, context.Interruption.Stop, cancellationToken))
        {
            context.Error.WriteLine($"{shard.Name}: stopped by Ctrl+C; the same command goes on from here");
            return ExitCode.Cancelled;
        }

        return End(context, results.Finish(), ShardFile.PathOf(folder, shard));
    }

    private ExplainOptions Options(ParseResult parsed, ModelCalibration? calibration)
    {
        var tam = _method.Read(parsed, calibration);
        tam.Validate();
        return new ExplainOptions
        {
            Tam = tam,
            Layers = calibration is null ? [] : [calibration.PresenceLayer],
            CaptureEvidence = _method.ShowsBoth(parsed),
            Completion = _completion.Read(parsed) with
            {
                Region = _region.Read(parsed) is { } region ? calibration?.Apply(region) ?? region : null,
            },
        };
    }

    /// <summary>
    /// Says what the rows will hold in memory, before anything is loaded. Refuses a context, or an answer alone, that
    /// the workers have no room for.
    /// </summary>
    private static void RequireMemory(
        CommandContext context,
        ModelOptions model,
        ModelFacts facts,
        ExplainOptions options,
        int workers
    )
    {
        const int Unit = 1000;
        var completion = options.Completion;
        var tokens = completion.ContextSize > 0 ? completion.ContextSize : Unit;
        var need = options.EstimateMemory(model, facts, tokens);

        // Those of the row before stay, since the next may begin the same.
        need = need with
        {
            StateBytes = 2 * need.StateBytes,
        };
        var machine = MemoryEstimate.MachineBytes;
        var most = machine / workers / (need.Bytes / tokens);
        var each = workers > 1 ? $"each of {workers} workers takes" : "it takes";
        var weights = ByteSize.Describe(
            facts.ByteCount + (model.ProjectorPath is { } path ? new FileInfo(path).Length : 0)
        );
        context.Error.WriteLine(
            OutsideText.Line(
                FormattableString.Invariant(
                    $"{facts.Path}: {weights} of weights, mapped{(workers > 1 ? " once" : "")}; for {tokens:N0} tokens {each} {ByteSize.Describe(need.ContextBytes)} of keys and values and {ByteSize.Describe(need.StateBytes)} of hidden states; {ByteSize.Describe(machine)} here are enough for rows of {Math.Min(most, Math.Max(tokens, facts.ContextLength)):N0} tokens"
                )
            )
        );
        if (completion.ContextSize > most)
        {
            throw new InvalidInputException(
                $"a context of {completion.ContextSize} tokens takes {ByteSize.Describe(need.Bytes * workers)}, and there are {ByteSize.Describe(machine)} here; use a smaller one (-c){(workers > 1 ? " or fewer workers (--workers)" : "")}"
            );
        }

        if (completion.MaxNewTokens is not int.MaxValue && completion.MaxNewTokens > most)
        {
            throw new InvalidInputException(
                FormattableString.Invariant(
                    $"answers of {completion.MaxNewTokens} tokens do not fit the memory here, {most:N0} would; use fewer (-n){(workers > 1 ? " or fewer workers (--workers)" : "")}"
                )
            );
        }
    }

    private static int End(CommandContext context, ShardSummary summary, string path)
    {
        context.Error.WriteLine(OutsideText.Line($"{path}: {summary.Rows} rows, {summary.Failed} failed"));
        return summary.Failed > 0 ? ExitCode.FailedRows : ExitCode.Ok;
    }

    /// <summary>What rows depend on. Engine, threads and device do not matter.</summary>
    private JsonObject Facts(
        ParseResult parsed,
        BatchInput rows,
        BatchShard shard,
        ModelOptions model,
        ExplainOptions options,
        ModelCalibration? calibration
    ) =>
        new()
        {
            ["format"] = "tamx-batch/1",
            ["shards"] = shard.Count,
            ["input"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(rows.Location)),
            ["inputRows"] = rows.Count,
            ["inputBytes"] = rows.Bytes,
            ["prompt"] = rows.Prompt,
            ["model"] = Path.GetFileName(model.ModelPath),
            ["modelBytes"] = new FileInfo(model.ModelPath).Length,
            ["mmproj"] = Path.GetFileName(model.ProjectorPath),
            ["minImageTokens"] = model.MinImageTokens,
            ["maxImageTokens"] = model.MaxImageTokens,
            ["method"] = Node(options.Tam),
            ["completion"] = Node(options.Completion),
            ["calibration"] = calibration?.Describe(),
            ["truth"] = _truth.Read(parsed).ToString(),
            ["png"] = parsed.GetValue(_pictures),
        };

    private static JsonNode? Node<T>(T value) =>
        JsonNode.Parse(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, ExplainSummary.Json));
}
