using System.Collections.Immutable;

namespace Tamx;

/// <summary>A trace's rows, as the method reads them.</summary>
/// <param name="trace">The trace, valid.</param>
/// <param name="layer">The layer whose states are read, as <see cref="TamOptions.Layer"/>.</param>
internal sealed class TraceRows(Trace trace, int layer = -1) : IRunRows
{
    private readonly ReadOnlyMemory<float> _states = layer < 0 ? trace.HiddenStates : trace.LayerAt(layer).HiddenStates;

    /// <inheritdoc/>
    public int HiddenSize => trace.HiddenSize;

    /// <inheritdoc/>
    public ReadOnlySpan<float> StatesOf(int firstPosition, int count) =>
        _states.Span.Slice(firstPosition * HiddenSize, count * HiddenSize);

    /// <inheritdoc/>
    public ReadOnlySpan<float> FinalStateAt(int position) =>
        trace.HiddenStates.Span.Slice(position * HiddenSize, HiddenSize);

    /// <inheritdoc/>
    public ReadOnlySpan<float> RowOf(int tokenId) =>
        trace.OutputRows.Span.Slice(trace.OutputIds.BinarySearch(tokenId) * HiddenSize, HiddenSize);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? FindBytes(int tokenId) => trace.FindBytes(tokenId);

    /// <summary>Refuses a trace without an output-embedding row that the method reads.</summary>
    public void Require(SequenceLayout layout)
    {
        foreach (var position in layout.ContextPositions.Concat(layout.AnswerPositions))
        {
            if (trace.OutputIds.BinarySearch(trace.TokenIds[position]) < 0)
            {
                throw trace.Fault(
                    $"lm_head_ids lacks the id {trace.TokenIds[position]} at position {position}; the rows of all text tokens are needed"
                );
            }
        }
    }
}
