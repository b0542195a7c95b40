using System.Text.Json;
using System.Text.Json.Serialization;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx;

/// <summary>How an answer is generated and explained.</summary>
public sealed record ExplainOptions
{
    /// <summary>How the answer is generated.</summary>
    public CompletionOptions Completion { get; init; } = new() { CandidateCount = 3 };

    /// <summary>How the maps are computed.</summary>
    public TamOptions Tam { get; init; } = new();

    /// <summary>
    /// Layers, from 0, to capture besides the last hidden states (<see cref="Trace.Layers"/>). That of
    /// <see cref="TamOptions.Layer"/> is captured in any case. None by default.
    /// </summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>
    /// Whether to capture what attention reads (<see cref="Trace.Evidence"/>), for evidence maps. With
    /// <see cref="MapMethod.Evidence"/> it is captured in any case. False by default.
    /// </summary>
    public bool CaptureEvidence { get; init; }

    /// <summary>
    /// Whether to compute, for each captured layer, the sums over the vocabulary that <see cref="MapMethod.Lens"/>
    /// needs. With that method they are computed in any case. False by default.
    /// </summary>
    public bool CaptureLogSums { get; init; }

    /// <summary>
    /// Whether the end token of a generated answer (<c>&lt;|im_end|&gt;</c>) is explained too, as in TAMX. True by
    /// default.
    /// </summary>
    public bool ExplainEndToken { get; init; } = true;

    /// <summary>
    /// Token ids of an answer to explain instead of generating one; null (the default) to generate. An answer as text
    /// goes into the conversation's last message instead. Its text may fall into other tokens than the model wrote.
    /// </summary>
    public IReadOnlyList<int>? AnswerIds { get; init; }

    /// <summary>What an answer to explain will hold in memory, before the model is loaded.</summary>
    /// <param name="model">Which layers of it are on a GPU.</param>
    /// <param name="facts">The model.</param>
    /// <param name="tokens">Tokens of prompt and answer, or of the context.</param>
    public MemoryEstimate EstimateMemory(ModelOptions model, ModelFacts facts, int tokens) =>
        MemoryEstimate.Of(model, facts, WithCapture().Completion, tokens);

    /// <summary>The options with all that their method needs of the model.</summary>
    internal ExplainOptions WithCapture()
    {
        var layers = Layers.Where(layer => layer >= 0);
        if (Tam.Method != MapMethod.Evidence && Tam.Layer >= 0)
        {
            layers = layers.Append(Tam.Layer);
        }

        return this with
        {
            CaptureEvidence = CaptureEvidence || Tam.Method.NeedsEvidence(),
            CaptureLogSums = CaptureLogSums || Tam.Method.NeedsLogSums(),
            Completion = Completion with
            {
                CaptureHiddenStates = true,
                CaptureAttention = CaptureEvidence || Tam.Method.NeedsEvidence(),
                Layers = [.. layers.Distinct().Order()],
            },
        };
    }
}

/// <summary>An answer with its trace and its maps.</summary>
/// <remarks>
/// As JSON it is null, so that whoever logs or stores what it is attached to does not write all of a trace.
/// <see cref="TraceFile"/> saves a trace and <see cref="ActivationMaps.Save(string)"/> maps.
/// </remarks>
/// <param name="Trace">The trace that the maps were computed from. It can be saved.</param>
/// <param name="Maps">The activation maps.</param>
/// <param name="Answer">The answer's text, without its thought.</param>
/// <param name="StopReason">Why the answer ended.</param>
[JsonConverter(typeof(ExplanationConverter))]
public sealed record Explanation(Trace Trace, ActivationMaps Maps, string Answer, StopReason StopReason)
{
    /// <summary>
    /// What the model thought before the answer, without the tags around it; null where it did not. Its tokens are the
    /// first <see cref="SequenceLayout.ThoughtCount"/> of the answer's.
    /// </summary>
    public string? Thought { get; init; }

    /// <summary>
    /// Thought and answer as the model reads them: <c>&lt;think&gt;</c>, the thought, <c>&lt;/think&gt;</c>, the
    /// answer. A given answer may be this text. A thought that was cut off has no end here.
    /// </summary>
    public string Text { get; init; } = Answer;
}

internal sealed class ExplanationConverter : JsonConverter<Explanation>
{
    public override Explanation? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        reader.Skip();
        return null;
    }

    public override void Write(Utf8JsonWriter writer, Explanation value, JsonSerializerOptions options) =>
        writer.WriteNullValue();
}

/// <summary>How far an explanation has come.</summary>
/// <param name="Stage"><c>encode</c>, <c>prefill</c>, <c>generate</c> or <c>maps</c>.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, or the greatest possible number.</param>
/// <param name="Token">The token just generated, in stage <c>generate</c>.</param>
public readonly record struct ExplainProgress(string Stage, int Done, int Total, GeneratedToken? Token = null);

/// <summary>Lets a model answer, and computes where each token of the answer came from.</summary>
public static class Explainer
{
    /// <summary>Generates an answer and explains it, or explains a given one.</summary>
    /// <param name="model">The model.</param>
    /// <param name="turns">
    /// The conversation. If its last message is the assistant's, that is the answer to explain. Otherwise the answer
    /// follows it.
    /// </param>
    /// <param name="options">How to generate and explain.</param>
    /// <param name="engine">
    /// The engine that computes the maps. It stays the caller's, and nobody else may use it meanwhile. Null creates the
    /// best engine for this answer alone. On a GPU that compiles the kernels, so pass an engine to explain several
    /// answers.
    /// </param>
    /// <param name="progress">Receives the progress and every token.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidInputException">
    /// A picture, a message or an option cannot be used, or the prompt does not fit.
    /// </exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<Explanation> ExplainAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> turns,
        ExplainOptions? options = null,
        ITamEngine? engine = null,
        IProgress<ExplainProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(turns);
        using var live = await LiveExplanation
            .StartAsync(model, turns, options ?? new ExplainOptions(), engine, progress, cancellationToken)
            .ConfigureAwait(false);
        await foreach (var token in live.WriteAsync(cancellationToken).ConfigureAwait(false))
        {
            // It keeps them.
        }

        return await live.ExplainWrittenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Computes the prompt. The answer is then read token by token, each with its maps.</summary>
    /// <param name="model">The model.</param>
    /// <param name="turns">The conversation, as for <see cref="ExplainAsync"/>.</param>
    /// <param name="options">How to generate and explain.</param>
    /// <param name="engine">
    /// The engine that computes the maps. It stays the caller's, and nobody else may use it meanwhile. Null creates the
    /// best engine for this answer alone. On a GPU that compiles the kernels, so pass an engine to explain several
    /// answers.
    /// </param>
    /// <param name="progress">Receives the progress and every token.</param>
    /// <param name="cancellationToken">Ends the computation of the prompt within one decode.</param>
    /// <returns>The answer to read. The caller disposes of it.</returns>
    /// <exception cref="InvalidInputException">
    /// A picture, a message or an option cannot be used, or the prompt does not fit.
    /// </exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<LiveExplanation> StartAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> turns,
        ExplainOptions? options = null,
        ITamEngine? engine = null,
        IProgress<ExplainProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(turns);
        return LiveExplanation.StartAsync(
            model,
            turns,
            options ?? new ExplainOptions(),
            engine,
            progress,
            cancellationToken
        );
    }
}
