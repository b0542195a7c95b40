using System.CommandLine;
using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Cli;

/// <summary><c>tamx capture</c>: hidden states of layers, and attention of the answer, for other programs.</summary>
internal sealed class CaptureCommand
{
    private const string Hidden = "hidden";
    private const string Attention = "attention";

    private readonly ModelArguments _model = new();
    private readonly ConversationArguments _conversation;
    private readonly LayerOption _layers = new(
        "--layers",
        "Layers to capture: numbers from 0, \"last\" (the default) or \"all\", with commas between."
    );

    private readonly Option<string> _what = new("--what")
    {
        Description = "hidden (the residual stream after each layer), attention (of the answer's rows), or both.",
        HelpName = "hidden,attention",
        DefaultValueFactory = _ => Hidden,
    };

    private readonly LayerOption _heads = new(
        "--heads",
        "Heads of attention: numbers from 0, or \"all\" (the default), with commas between."
    );

    private readonly Option<string> _positions = new("--positions")
    {
        Description = "Hidden states of which positions: all, vision (cells of pictures and videos) or answer.",
        HelpName = "all|vision|answer",
        DefaultValueFactory = _ => "all",
    };

    private readonly Option<int> _maxTokens = new("-n", "--predict", "--n-predict")
    {
        Description = "Most tokens to write.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().MaxNewTokens,
    };

    private readonly Option<int> _threads = new("-t", "--threads")
    {
        Description = "Threads for the model; 0 for half the processors.",
        HelpName = "N",
    };

    private readonly Option<string> _output = new("-o", "--out")
    {
        Description = "Where to write; - for stdout.",
        HelpName = "FILE.safetensors|-",
        Required = true,
    };

    private CaptureCommand() => _conversation = new ConversationArguments(_model);

    public static Command Create() => new CaptureCommand().Build();

    private DocumentedCommand Build()
    {
        _maxTokens.RequireWithin(1, 1_000_000);
        _threads.RequireWithin(0, 1024);
        _positions.AcceptOnlyFromAmong("all", "vision", "answer");
        _what.Validators.Add(result =>
        {
            foreach (var name in result.Tokens.SelectMany(token => token.Value.Split(',')))
            {
                if (name is not (Hidden or Attention))
                {
                    result.AddError(
                        $"{_what.Name} {OutsideText.Quoted(name)}: there are {Hidden} and {Attention}, with a comma between."
                    );
                }
            }
        });
        var command = new DocumentedCommand(
            "capture",
            "Writes hidden states of layers, and attention of the answer, for other programs (docs/capture.md).",
            ("tamx capture --layers 0,last -o states.safetensors", "Two layers of the demo model, all positions."),
            (
                "tamx capture -m MODEL.gguf --mmproj MMPROJ.gguf --image photo.jpg --layers 16 --what attention --heads 0,5 -o attention.safetensors",
                "Two heads of one layer: what each answer token looked at."
            )
        )
        {
            _layers,
            _what,
            _heads,
            _positions,
            _maxTokens,
            _threads,
            _output,
        };
        _conversation.AddTo(command);
        _model.AddTo(command);
        _conversation.AddChecksTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var context = CommandContext.Of(parsed);
        var modelOptions = _model.Read(parsed, parsed.GetValue(_threads));
        var output = parsed.GetRequiredValue(_output);
        var files = new CommandFiles();
        _model.AddTo(files, parsed);
        _conversation.AddTo(files, parsed);
        files.Writes(_output.Name, output).Check();
        var facts = Preflight.CheckModel(GgufModel.Open(modelOptions.ModelPath));
        var what = parsed.GetRequiredValue(_what).Split(',');
        int[] layers =
        [
            .. _layers
                .Read(parsed, facts.LayerCount)
                .DefaultIfEmpty(-1)
                .Select(layer => layer < 0 ? facts.LayerCount - 1 : layer)
                .Distinct()
                .Order(),
        ];
        int[] heads = [.. _heads.Read(parsed, facts.HeadCount + 1).Where(head => head >= 0)];
        heads = heads.Length > 0 ? heads : [.. Enumerable.Range(0, facts.HeadCount)];
        if (heads.FirstOrDefault(head => head >= facts.HeadCount, -1) is >= 0 and var unknown)
        {
            throw new InvalidInputException(
                $"head {unknown} ({_heads.Name}): {facts.Path} has heads 0 to {facts.HeadCount - 1}"
            );
        }

        int[] attentionLayers = what.Contains(Attention) ? [.. layers.Intersect(facts.AttentionLayers)] : [];
        if (what.Contains(Attention) && attentionLayers.Length < layers.Length)
        {
            var some = string.Join(", ", layers.Except(attentionLayers));
            var message =
                $"layers without softmax attention ({_layers.Name}): {some}; {facts.Path} has it in layers {string.Join(", ", facts.AttentionLayers)}";
            if (attentionLayers.Length == 0)
            {
                throw new InvalidInputException(message);
            }

            context.Error.WriteLine(OutsideText.Line($"No attention is written of {message}."));
        }

        var messages = await _conversation.ReadAsync(parsed, cancellationToken);
        var writer = new SafetensorsWriter();
        await using (var progress = ProgressDisplay.Start(context.Error))
        {
            using var model = await VisionLanguageModel.LoadAsync(modelOptions, progress, cancellationToken);
            using var completion = model.CreateCompletion(
                messages,
                new CompletionOptions
                {
                    MaxNewTokens = parsed.GetValue(_maxTokens),
                    Layers = layers,
                    CaptureAttention = what.Contains(Attention),
                }
            );
            var attention = attentionLayers.ToDictionary(layer => layer, _ => new List<float[]>());
            await foreach (var _ in completion.GenerateAsync(cancellationToken))
            {
                Take(completion, heads, attention);
            }

            Add(writer, parsed, completion, model, layers, heads, what, attention);
        }

        await OutputFile.WriteAsync(context, output, writer.Write, cancellationToken);
        context.Error.WriteLine(OutsideText.Line($"{OutputFile.Describe(output)}: written."));
        return ExitCode.Ok;
    }

    /// <summary>Keeps the chosen heads of new rows, and lets go of the others.</summary>
    private static void Take(Completion completion, int[] heads, Dictionary<int, List<float[]>> kept)
    {
        if (completion.Attention is not { } attention)
        {
            return;
        }

        foreach (var rows in attention.Rows)
        {
            foreach (var (layer, list) in kept)
            {
                var weights = rows.WeightsOf(layer).Span;
                for (var row = 0; row < rows.Count; row++)
                {
                    var length = rows.FirstPosition + row + 1;
                    var chosen = new float[heads.Length * length];
                    foreach (var (index, head) in heads.Index())
                    {
                        weights
                            .Slice(((head * rows.Count) + row) * rows.ColumnCount, length)
                            .CopyTo(chosen.AsSpan(index * length));
                    }

                    list.Add(chosen);
                }
            }
        }

        attention.ReleaseBefore(int.MaxValue);
    }

    private void Add(
        SafetensorsWriter writer,
        ParseResult parsed,
        Completion completion,
        VisionLanguageModel model,
        int[] layers,
        int[] heads,
        string[] what,
        Dictionary<int, List<float[]>> attention
    )
    {
        var ids = completion.TokenIds.ToArray();
        writer.AddIntegers("token_ids", [.. ids.Select(id => (long)id)]);
        writer.AddIntegers("answer_start", [completion.PromptTokenCount]);
        if (what.Contains(Hidden))
        {
            var markers = MarkerIds.Find(model.Vocabulary);
            var size = model.Facts.HiddenSize;
            int[] positions =
            [
                .. Enumerable
                    .Range(0, Math.Min(completion.HiddenRowCount, ids.Length))
                    .Where(position =>
                        parsed.GetRequiredValue(_positions) switch
                        {
                            "vision" => ids[position] == markers.ImagePad || ids[position] == markers.VideoPad,
                            "answer" => position >= completion.PromptTokenCount - 1,
                            _ => true,
                        }
                    ),
            ];
            writer.AddIntegers("positions", [.. positions.Select(position => (long)position)]);
            foreach (var layer in layers)
            {
                var residual = completion.ResidualOf(layer).Span;
                var rows = new float[checked(positions.Length * size)];
                foreach (var (index, position) in positions.Index())
                {
                    residual.Slice(position * size, size).CopyTo(rows.AsSpan(index * size));
                }

                writer.AddSingles($"l_out.{layer}", rows, positions.Length, size);
            }
        }

        foreach (var (layer, rows) in attention)
        {
            foreach (var (index, row) in rows.Take(ids.Length - completion.PromptTokenCount).Index())
            {
                writer.AddSingles($"attention.{layer}.{index}", row, heads.Length, row.Length / heads.Length);
            }
        }

        writer.Metadata["tamx.capture"] = JsonSerializer.Serialize(
            new
            {
                Model = Path.GetFileName(model.Facts.Path),
                model.Facts.Quantization,
                Layers = layers,
                Heads = what.Contains(Attention) ? heads : null,
                LlamaVersion = LlamaRuntime.Version,
            },
            JsonSerializerOptions.Web
        );
    }
}
