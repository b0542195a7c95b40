using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Tamx.Llama.Chat;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>A Qwen-VL model with its vision projector, loaded by llama.cpp.</summary>
/// <remarks>
/// Safe to use from several threads. Each answer is a <see cref="Completion"/>; pictures are encoded one at a time. May
/// be disposed at any time, twice, or before its completions. Native memory is freed when the last user is done.
/// </remarks>
public sealed partial class VisionLanguageModel : IDisposable
{
    private readonly LlamaModel _model;
    private readonly VisionProjector? _vision;
    private bool _disposed;

    private VisionLanguageModel(
        ModelOptions options,
        ModelFacts facts,
        ProjectorFacts? projector,
        LlamaModel model,
        VisionProjector? vision
    )
    {
        Options = options;
        Facts = facts;
        Projector = projector;
        _model = model;
        _vision = vision;
        Vocabulary = new Vocabulary(model, facts);
        Template = ChatTemplate.For(facts);
        OutputEmbedding = new OutputEmbedding(facts);
        InputEmbedding = new TensorRows(facts.InputEmbedding);
        OutputNorm = new OutputNorm(facts);
        AttentionOutput = new AttentionOutput(facts);
        Name = facts.Name ?? Path.GetFileNameWithoutExtension(facts.Path);
        Logger = options.LoggerFactory.CreateLogger(LogCategories.Llama);
    }

    /// <summary>What was asked for when loading.</summary>
    public ModelOptions Options { get; }

    /// <summary>What the model's file says.</summary>
    public ModelFacts Facts { get; }

    /// <summary>What the projector's file says, or null without one.</summary>
    public ProjectorFacts? Projector { get; }

    /// <summary>The model's tokens.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>How conversations are written for this model.</summary>
    public ChatTemplate Template { get; }

    /// <summary>The output embedding (lm_head).</summary>
    public OutputEmbedding OutputEmbedding { get; }

    /// <summary>The norm before the output embedding.</summary>
    public OutputNorm OutputNorm { get; }

    /// <summary>What each layer's attention writes with.</summary>
    public AttentionOutput AttentionOutput { get; }

    /// <summary>What the residual stream of a text token starts with.</summary>
    internal TensorRows InputEmbedding { get; }

    /// <summary>The name that the file gives itself, or the file's.</summary>
    internal string Name { get; }

    internal ILogger Logger { get; }

    internal LlamaModel Model
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _model;
        }
    }

    internal VisionProjector? Vision => _vision;

    /// <summary>Checks the files, then loads model and projector.</summary>
    /// <param name="options">Which model, and how.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="cancellationToken">Ends loading.</param>
    /// <exception cref="InvalidInputException">An option is out of its range.</exception>
    /// <exception cref="ModelFormatException">
    /// A file is damaged or of an unsupported kind, the two do not fit, or llama.cpp cannot load one (its message says
    /// why).
    /// </exception>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries are missing, or lack the device.</exception>
    /// <exception cref="LlamaException">llama.cpp ran out of memory.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<VisionLanguageModel> LoadAsync(
        ModelOptions options,
        IProgress<ModelLoadProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Task.Run(() => Load(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>Prepares an answer: writes the prompt as tokens and pictures. Nothing is computed yet.</summary>
    /// <param name="turns">
    /// The conversation; the answer follows its last message. If that message is the assistant's, it is the answer:
    /// nothing is generated, and its tokens are read as if the model had written them. Its text is cut into tokens
    /// apart from the prompt, as the model would write it. A thinking model's answer may begin with its thought, in the
    /// text (<c>&lt;think&gt;...&lt;/think&gt;</c>, with or without the first) or as <see cref="ChatTurn.Thought"/>.
    /// </param>
    /// <param name="options">How to generate.</param>
    /// <exception cref="InvalidInputException">
    /// A picture cannot be used, the model has no projector, the answer is empty or holds a picture or video, the
    /// tokens do not fit the context, or the picture of <see cref="CompletionOptions.Region"/> is not there.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Completion CreateCompletion(IReadOnlyList<ChatTurn> turns, CompletionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(turns);
        turns = options?.Region?.Apply(turns) ?? turns;
        if (turns is not [.., { Role: TurnRole.Assistant }])
        {
            var pieces = Template.Pieces(turns, thinking: options?.Thinking);
            return new Completion(this, pieces, null, options ?? new CompletionOptions());
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        var (prompt, answer) = Template.SplitAnswer(turns);
        return CreateCompletion(prompt, Vocabulary.Tokenize(answer, SpecialTokens.Answer), options);
    }

    /// <summary>Prepares a given answer, whose tokens are read as if the model had written them.</summary>
    /// <param name="turns">The conversation before the answer.</param>
    /// <param name="answer">Token ids of the answer, at least one.</param>
    /// <param name="options">Context, candidates and batches; options for generating are not used.</param>
    /// <exception cref="InvalidInputException">
    /// A picture cannot be used, the model has no projector, the answer is empty or holds an unknown id, or the tokens
    /// do not fit the context.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Completion CreateCompletion(
        IReadOnlyList<ChatTurn> turns,
        IReadOnlyList<int> answer,
        CompletionOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(turns);
        ArgumentNullException.ThrowIfNull(answer);
        turns = options?.Region?.Apply(turns) ?? turns;
        return CreateCompletion(Template.Pieces(turns, thinking: options?.Thinking), answer, options);
    }

    private Completion CreateCompletion(
        IEnumerable<PromptPiece> prompt,
        IReadOnlyList<int> answer,
        CompletionOptions? options
    )
    {
        if (answer.Count == 0)
        {
            throw new InvalidInputException(
                "the answer to explain is empty; give its text, or leave it out to let the model write one"
            );
        }

        if (answer.Any(id => id < 0 || id >= Vocabulary.Count))
        {
            throw new InvalidInputException(
                $"the answer to explain holds a token id that is not in the vocabulary (0 to {Vocabulary.Count - 1})"
            );
        }

        return new Completion(this, prompt, answer, options ?? new CompletionOptions());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _vision?.Dispose();
        _model.Dispose();
    }

    private static VisionLanguageModel Load(
        ModelOptions options,
        IProgress<ModelLoadProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        using var redirection = NativeLog.To(options.LoggerFactory);
        var clock = Stopwatch.StartNew();
        var facts = Preflight.CheckModel(GgufModel.Open(options.ModelPath));
        ProjectorFacts? projector = null;
        if (options.ProjectorPath is { } projectorPath)
        {
            projector = Preflight.CheckProjector(GgufModel.Open(projectorPath));
            Preflight.CheckPair(facts, projector);
        }
        else if (ModelFamily.Of(facts).NeedsProjector)
        {
            FormattableString wayOut = $"give the mmproj published with it ({Settings.ProjectorPath})";
            throw ModelFormatException.Naming(
                facts.Path,
                $"is a text model like many, which its mmproj alone shows to be {facts.Family}'s; {wayOut}"
            );
        }

        LlamaLibraries.EnsureLoaded();
        LlamaRuntime.RequireDevices(options);
        LlamaModel? model = null;
        VisionProjector? vision = null;
        try
        {
            model = LlamaModel.Load(options, progress, cancellationToken);
            if (model.HiddenSize != facts.HiddenSize || model.VocabularySize != facts.VocabularySize)
            {
                throw new ModelFormatException(
                    facts.Path,
                    $"llama.cpp reads {model.HiddenSize} values and {model.VocabularySize} tokens, the file says "
                        + $"{facts.HiddenSize} and {facts.VocabularySize}"
                );
            }

            if (projector is not null)
            {
                vision = VisionProjector.Load(model, projector, options, progress, cancellationToken);
            }

            var loaded = new VisionLanguageModel(options, facts, projector, model, vision);
            var gpuLayers = options.LayersOnGpu(facts);
            var seconds = clock.Elapsed.TotalSeconds;
            LogLoaded(
                loaded.Logger,
                loaded.Name,
                facts.Architecture,
                facts.Quantization ?? "unknown",
                gpuLayers,
                seconds
            );
            return loaded;
        }
        catch
        {
            vision?.Dispose();
            model?.Dispose();
            throw;
        }
    }

    [LoggerMessage(
        EventId = 1,
        EventName = "ModelLoaded",
        Level = LogLevel.Information,
        Message = "{Model} is loaded: {Architecture}, {Quantization}, {GpuLayers} layers on the GPU, {Seconds:F1} s"
    )]
    private static partial void LogLoaded(
        ILogger logger,
        string model,
        string architecture,
        string quantization,
        int gpuLayers,
        double seconds
    );
}
