namespace Tamx.Kernels;

/// <summary>
/// Computes activation maps: all maps of a problem in one call, so that a device needs one upload and one download.
/// </summary>
/// <remarks>
/// Every engine stays within a stated tolerance of <see cref="ReferenceEngine"/>, and gives the same bits for the same
/// input every time. Input values must be finite; see <see cref="HiddenRows.IndexOfNonFinite"/>. An instance is used by
/// one thread at a time.
/// </remarks>
public interface ITamEngine : IDisposable
{
    /// <summary>Most tokens per state that <see cref="SelectTop"/> selects.</summary>
    const int MaxTopCount = 64;

    /// <summary>Which implementation this is; never <see cref="EngineKind.Auto"/>.</summary>
    EngineKind Kind { get; }

    /// <summary>Name for reports, with the device if it has one; for example <c>reference</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Bytes of maps that a caller should ask for per call, where it can work in slices. The maps of one token may be
    /// more. See <see cref="EngineOptions.MaxWorkingBytes"/>.
    /// </summary>
    long MaxWorkingBytes => EngineOptions.DefaultWorkingBytes;

    /// <summary>relu(w_t . h_p) for every output row t and state p.</summary>
    /// <param name="states">Hidden states [P, D].</param>
    /// <param name="outputRows">Output-embedding rows [T, D].</param>
    /// <param name="hiddenSize">D, at least 1.</param>
    /// <param name="destination">Receives [T, P], row-major.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">A length does not fit the others.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The destination's content is undefined.</exception>
    void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// All maps of a problem: activation A = relu(W H^T), interference E = Q A, scale s = (A.E)/(E.E),
    /// M = relu(A - strength s E), rank filter, and one min-max normalisation per range.
    /// </summary>
    /// <param name="problem">What to compute.</param>
    /// <param name="maps">
    /// Receives the maps one after another, in the order of <see cref="TamProblem.Maps"/>:
    /// <see cref="TamProblem.MapValueCount"/> values.
    /// </param>
    /// <param name="ranges">
    /// In: the range of the text relevance that is normalised together with the maps, or
    /// <see cref="ValueRange.Empty"/>. Out: the range that was mapped to [0, 1]. <see cref="TamProblem.RangeCount"/>
    /// values.
    /// </param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">
    /// A length or an index does not fit the others, or the kernel size is not 1, 3, 5, 7 or 9.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled. The destinations' content is undefined.</exception>
    void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// <see cref="Compute"/> without the projection: activations in, maps out. It serves explaining token by token. The
    /// caller keeps the activations that <see cref="Project"/> gave, and projects only each token's own rows.
    /// </summary>
    /// <param name="problem">
    /// What to compute. Its cell states and output rows are not read. T is the number of rows of the activations.
    /// </param>
    /// <param name="activations">A [T, V].</param>
    /// <param name="cellCount">V, at least 1 unless there are no maps.</param>
    /// <param name="maps">Receives the maps, as in <see cref="Compute"/>.</param>
    /// <param name="ranges">In and out, as in <see cref="Compute"/>.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">A length or an index does not fit the others.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The destinations' content is undefined.</exception>
    void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// The tokens with the largest logits w_t . h_p, and the log-sum-exp of all logits. The vocabulary comes in slices,
    /// one per call, in any order, so that the logits need not fit memory as a whole.
    /// </summary>
    /// <param name="query">States and the slice; in and out, the best tokens and the log sums so far.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <remarks>
    /// Logits are sums of products in float32 or better. Where two differ by less than its rounding, engines may order
    /// them differently. Finite input whose products overflow float32 gives log sums that are not finite.
    /// </remarks>
    /// <exception cref="ArgumentException">A length does not fit the others.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The destinations' content is undefined.</exception>
    void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default);
}
