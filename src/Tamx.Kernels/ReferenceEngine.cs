namespace Tamx.Kernels;

/// <summary>
/// The definition of the results: plain scalar loops and float64 sums. Activations and results are rounded to float32.
/// </summary>
/// <remarks>
/// Steps and notation as in <see cref="ITamEngine.Compute"/>. The steps after the activations are in
/// <see cref="MapRefinement"/>. Sums run in index order. It has no state, so threads may share it.
/// </remarks>
public sealed class ReferenceEngine : ITamEngine
{
    /// <inheritdoc/>
    public EngineKind Kind => EngineKind.Reference;

    /// <inheritdoc/>
    public string Name => "reference";

    /// <inheritdoc/>
    public long MaxWorkingBytes { get; init; } = EngineOptions.DefaultWorkingBytes;

    /// <inheritdoc/>
    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    )
    {
        ValidateProjection(states, outputRows, hiddenSize, destination);
        var stateCount = states.Length / hiddenSize;
        for (var i = 0; i < destination.Length; i++)
        {
            if (i % stateCount == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            destination[i] = (float)
                Math.Max(
                    0,
                    Product(
                        outputRows.Slice(i / stateCount * hiddenSize, hiddenSize),
                        states.Slice(i % stateCount * hiddenSize, hiddenSize)
                    )
                );
        }
    }

    /// <inheritdoc/>
    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(maps, ranges);
        var activations = new float[checked(problem.OutputRowCount * problem.CellCount)];
        Project(problem.CellStates, problem.OutputRows, problem.HiddenSize, activations, cancellationToken);
        Refine(problem, activations, problem.CellCount, maps, ranges, cancellationToken);
    }

    /// <inheritdoc/>
    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    ) => MapRefinement.Apply(problem, activations, cellCount, maps, ranges, cancellationToken);

    /// <inheritdoc/>
    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        query.Validate();
        var hiddenSize = query.HiddenSize;
        var logits = new double[query.OutputRowCount];
        for (var p = 0; p < query.StateCount && logits.Length > 0; p++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var state = query.States.Slice(p * hiddenSize, hiddenSize);
            for (var t = 0; t < logits.Length; t++)
            {
                logits[t] = Product(query.OutputRows.Slice(t * hiddenSize, hiddenSize), state);
                TopTokens.Insert(query.BestOf(p), new TokenScore(query.FirstId + t, (float)logits[t]));
            }

            var largest = logits.Max();
            var logSum = largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
            query.LogSums[p] = TopTokens.Join(query.LogSums[p], logSum);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>Checks the arguments of <see cref="ITamEngine.Project"/>. Engines call it first.</summary>
    /// <param name="states">Hidden states [P, D].</param>
    /// <param name="outputRows">Output-embedding rows [T, D].</param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="destination">The destination [T, P].</param>
    /// <exception cref="ArgumentException">A length does not fit the others.</exception>
    public static void ValidateProjection(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        ReadOnlySpan<float> destination
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        if (
            states.Length % hiddenSize != 0
            || outputRows.Length % hiddenSize != 0
            || destination.Length != (long)(states.Length / hiddenSize) * (outputRows.Length / hiddenSize)
        )
        {
            throw new ArgumentException("States, output rows and destination do not fit each other.");
        }
    }

    private static double Product(ReadOnlySpan<float> outputRow, ReadOnlySpan<float> state)
    {
        var sum = 0.0;
        for (var d = 0; d < outputRow.Length; d++)
        {
            sum += (double)outputRow[d] * state[d];
        }

        return sum;
    }
}
