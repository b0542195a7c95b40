using Tamx.Kernels;

namespace Tamx;

/// <content>Computing the maps of a trace.</content>
public sealed partial class ActivationMaps
{
    /// <summary>Computes the activation maps of a trace's answer.</summary>
    /// <param name="trace">The run to explain.</param>
    /// <param name="options">Options of the method; null for the defaults.</param>
    /// <param name="engine">
    /// The engine, which stays the caller's. Null creates the best one for this call alone. On a GPU that compiles the
    /// kernels, so for several calls pass one from <see cref="TamEngines"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <returns>Maps, text relevance and logits of each answer token and candidate.</returns>
    /// <remarks>
    /// Source: the paper (arXiv 2506.23270), in the form of TAMX's <c>compute_tam</c>. <see cref="TamOptions"/> names
    /// the differences.
    /// </remarks>
    /// <exception cref="InvalidInputException">
    /// The trace or an option cannot be used. The message names the position, tensor or option.
    /// </exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ActivationMaps Compute(
        Trace trace,
        TamOptions? options = null,
        ITamEngine? engine = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        options ??= new TamOptions();
        options.Validate();
        trace.Validate();
        using var ownEngine = engine is null ? TamEngines.Create(EngineKind.Auto) : null;
        engine ??= ownEngine!;
        var layout = trace.ParseLayout(options);
        var explained = Explain(trace, layout, 0, options, engine, cancellationToken);
        var promptCount = explained.Length - layout.AnswerPositions.Count;
        return Assemble(layout, options, engine, explained[..promptCount], explained[promptCount..], trace);
    }

    /// <summary>The answer's tokens from one on: the same, however many are asked for.</summary>
    internal static AnswerToken[] ComputeAnswerFrom(
        Trace trace,
        int first,
        TamOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        trace.Validate();
        options = options with { ExplainPrompt = false };
        return Explain(trace, trace.ParseLayout(options), first, options, engine, cancellationToken);
    }

    /// <summary>The prompt's tokens, if they are to be explained, and the answer's from one on.</summary>
    private static AnswerToken[] Explain(
        Trace trace,
        SequenceLayout layout,
        int first,
        TamOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        var rows = new TraceRows(trace, options.Method == MapMethod.Tam ? options.Layer : -1);
        rows.Require(layout);
        var text = new ContextText(layout, trace.TokenIds.AsSpan(), trace.OutputIds, rows, options);
        List<ExplainedStep> steps = [];
        if (options.ExplainPrompt && options.Method == MapMethod.Tam)
        {
            steps.AddRange(PromptSteps(text));
        }

        for (var i = 0; i < layout.AnswerPositions.Count; i++)
        {
            if (i >= first)
            {
                steps.Add(AnswerStep(trace, layout, i));
            }

            text.Add(layout.AnswerPositions[i], trace.TokenIds[layout.AnswerPositions[i]]);
        }

        var scores = PositionScores.For(trace, layout, options);
        return new MapComputation(rows, layout, text, options, engine, keepsActivations: false, scores).Explain(
            steps,
            cancellationToken
        );
    }

    /// <summary>
    /// The prompt's context tokens as tokens to explain. The context before a token interferes with it; all of the
    /// context is normalised with it.
    /// </summary>
    internal static IEnumerable<ExplainedStep> PromptSteps(ContextText text) =>
        Enumerable
            .Range(0, text.ContextCount)
            .Select(index => new ExplainedStep(
                text.PositionAt(index),
                index,
                text.ContextCount,
                text.IdAt(index),
                text.MapIdAt(index),
                float.NaN,
                [],
                null
            ));

    /// <summary>An answer token of a trace as a token to explain.</summary>
    private static ExplainedStep AnswerStep(Trace trace, SequenceLayout layout, int index)
    {
        var position = layout.AnswerPositions[index];
        var id = trace.TokenIds[position];
        return new ExplainedStep(
            position,
            layout.ContextPositions.Count + index,
            layout.ContextPositions.Count + index,
            id,
            id,
            trace.AnswerProbabilities?[index] ?? float.NaN,
            trace.CandidateIds?[index] ?? [],
            trace.CandidateProbabilities?[index]
        );
    }

    /// <summary>The result, with the answer's words and claims.</summary>
    internal static ActivationMaps Assemble(
        SequenceLayout layout,
        TamOptions options,
        ITamEngine engine,
        IReadOnlyList<AnswerToken> prompt,
        IReadOnlyList<AnswerToken> answer,
        Trace trace
    )
    {
        ReadOnlyMemory<byte>[] texts = trace.OutputTexts is null
            ? []
            : [.. answer.Select(token => trace.FindBytes(token.Token.TokenId)!.Value)];
        return new ActivationMaps
        {
            Layout = layout,
            Options = options,
            EngineName = engine.Name,
            Prompt = prompt,
            Answer = answer,
            Words = [.. AnswerWord.Group(texts).Select(word => ExplainedWord.Join(word, answer, options.WordMaps))],
            Claims = CheckedClaim.Of(trace, layout, answer, options.WordMaps),
        };
    }
}
