using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary>The tools of <c>tamx mcp</c>. Calls wait for each other: there is one model.</summary>
/// <param name="model">The model, which is loaded at the first call.</param>
/// <param name="options">How it answers.</param>
/// <param name="engine">The engine that computes the maps; the caller's.</param>
/// <param name="mostTokens">Most tokens of an answer.</param>
internal sealed class McpTools(ModelOptions model, ExplainOptions options, ITamEngine engine, int mostTokens)
    : IDisposable
{
    /// <summary>Most pixels of a side of the pictures that are returned: what an assistant looks at.</summary>
    private const int MaxSide = 1024;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private VisionLanguageModel? _model;
    private volatile Explanation? _last;

    /// <summary>The tools.</summary>
    public IEnumerable<McpServerTool> All =>
        [
            McpServerTool.Create(
                ExplainImageAsync,
                Describe(
                    "explain_image",
                    "Explain a picture",
                    "Asks a vision-language model about a picture. Returns its answer, for each word of the answer where "
                        + "in the picture and in the text it came from, and the picture with that of the whole answer "
                        + "over it.",
                    typeof(AnswerSources)
                )
            ),
            McpServerTool.Create(
                WhyAsync,
                Describe(
                    "why",
                    "Why a word was written",
                    "For a word of the last answer of explain_image: the picture with the places that the word came "
                        + "from, and the words of question and answer that it came from.",
                    typeof(WordSources)
                )
            ),
        ];

    /// <summary>Makes an error an answer that says what is wrong, and no failure of the protocol.</summary>
    public static McpRequestHandler<CallToolRequestParams, CallToolResult> ExplainFaults(
        McpRequestHandler<CallToolRequestParams, CallToolResult> call
    ) =>
        async (request, cancellationToken) =>
        {
            try
            {
                return await call(request, cancellationToken);
            }
            catch (Exception e) when (e is not (OperationCanceledException or InputRequiredException or McpException))
            {
                // Arguments that do not fit a tool's schema are found before it is called.
                var text = e switch
                {
                    ArgumentException => e.Message.Replace(" (Parameter 'arguments')", "", StringComparison.Ordinal),
                    JsonException => $"an argument of {request.Params?.Name} is of the wrong type; see its schema",
                    _ => CommandLine.Explain(e),
                };
                return new CallToolResult { IsError = true, Content = [new TextContentBlock { Text = text }] };
            }
        };

    public void Dispose() => _model?.Dispose();

    private static McpServerToolCreateOptions Describe(string name, string title, string description, Type output) =>
        new()
        {
            Name = name,
            Title = title,
            Description = description,
            ReadOnly = true,
            Destructive = false,
            Idempotent = true,
            OpenWorld = false,
            UseStructuredContent = true,
            OutputSchema = AIJsonUtilities.CreateJsonSchema(output, serializerOptions: ExplainSummary.Json),
            SerializerOptions = ExplainSummary.Json,
        };

    private async Task<CallToolResult> ExplainImageAsync(
        RequestContext<CallToolRequestParams> request,
        IProgress<ProgressNotificationValue> progress,
        [Description("The picture: a path, a file: URL, or a data URL (data:image/png;base64,...).")] string image,
        [Description("What to ask about it.")] string question = ConversationArguments.DefaultPrompt,
        [Description("Most tokens of the answer.")] int? maxTokens = null,
        CancellationToken cancellationToken = default
    )
    {
        var completion = options.Completion with { MaxNewTokens = TokensOf(maxTokens) };
        var picture = await OpenAsync(image, request, cancellationToken);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var reporter = new Reporter(progress);
            _model ??= await VisionLanguageModel.LoadAsync(model, reporter, cancellationToken);
            var explanation = await Explainer.ExplainAsync(
                _model,
                [new ChatTurn(TurnRole.User, [picture, new TextPart(question)])],
                options with
                {
                    Completion = completion,
                },
                engine,
                reporter,
                cancellationToken
            );
            _last = explanation;
            return Result(explanation, explanation.Answer, AnswerSources.Of(explanation), Whole(explanation));
        }
        finally
        {
            _turn.Release();
        }
    }

    private Task<CallToolResult> WhyAsync(
        [Description("The word, as the answer has it; case does not matter.")] string word,
        [Description("Which of several such words: 1 for the first.")] int occurrence = 1,
        CancellationToken cancellationToken = default
    ) =>
        Task.Run(
            () =>
            {
                var explanation =
                    _last ?? throw new InvalidInputException("there is no answer yet; call explain_image first");
                var explained = WordSources.Find(explanation, word, occurrence);
                var sources = WordSources.Of(explanation, explained);
                return Result(explanation, sources.ToText(), sources, explained);
            },
            cancellationToken
        );

    private static async Task<ImagePart> OpenAsync(
        string image,
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(image))
        {
            throw new InvalidInputException("image is empty; give a path or a data URL (data:image/png;base64,...)");
        }

        var source = new MediaSource("image", image.Trim());
        if (source.Decode() is { } encoded)
        {
            RgbImage.CheckLimits(encoded, source.Place, ImageLimits.Default);
            return new ImagePart(encoded, source.Place);
        }

        var path = source.PathIn(Environment.CurrentDirectory);
        var roots = await McpRoots.OfAsync(request, cancellationToken);
        return ImagePart.FromFile(roots?.Resolve(path) ?? path);
    }

    private int TokensOf(int? asked) =>
        asked is null ? Math.Min(mostTokens, options.Completion.MaxNewTokens)
        : asked >= 1 && asked <= mostTokens ? asked.Value
        : throw new InvalidInputException($"maxTokens is {asked}; it must be from 1 to {mostTokens}");

    /// <summary>The answer as one word: where in the picture any of its tokens came from.</summary>
    private static ExplainedWord Whole(Explanation explanation)
    {
        var (first, count) = (explanation.Maps.Layout.ThoughtCount, explanation.Maps.Answer.Count);
        int[] tokens = [.. Enumerable.Range(first < count ? first : 0, first < count ? count - first : count)];
        return ExplainedWord.Join(
            new AnswerWord(explanation.Answer, tokens),
            explanation.Maps.Answer,
            WordAggregation.Max
        );
    }

    private static CallToolResult Result<T>(Explanation explanation, string text, T sources, ExplainedWord drawn)
    {
        var json = JsonSerializer.SerializeToElement(sources, ExplainSummary.Json);
        return new CallToolResult
        {
            StructuredContent = json,
            Content =
            [
                new TextContentBlock { Text = text },
                // For clients that do not know structured content.
                new TextContentBlock { Text = JsonSerializer.Serialize(json, ExplainSummary.Json) },
                ImageContentBlock.FromBytes(MapExport.DrawPng(explanation.Trace, drawn, maxSide: MaxSide), "image/png"),
            ],
        };
    }

    /// <summary>Tells the client how far a call has come, where it asked to be told.</summary>
    private sealed class Reporter(IProgress<ProgressNotificationValue> progress)
        : IProgress<ModelLoadProgress>,
            IProgress<ExplainProgress>
    {
        private int _count;

        public void Report(ModelLoadProgress value) => Report("loading the model");

        public void Report(ExplainProgress value) => Report($"{value.Stage} {value.Done}/{value.Total}");

        private void Report(string message) =>
            progress.Report(
                new ProgressNotificationValue { Progress = Interlocked.Increment(ref _count), Message = message }
            );
    }
}
