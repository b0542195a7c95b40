namespace Tamx;

/// <content>The trace's rows, as the method reads them.</content>
public sealed partial class Trace : IRunRows
{
    /// <inheritdoc/>
    ReadOnlySpan<float> IRunRows.StatesOf(int firstPosition, int count) => HiddenStates.Span.Slice(firstPosition * HiddenSize, count * HiddenSize);

    /// <inheritdoc/>
    ReadOnlySpan<float> IRunRows.RowOf(int tokenId) => OutputRows.AsSpan(Array.BinarySearch(OutputIds, tokenId) * HiddenSize, HiddenSize);

    /// <summary>Refuses a trace that lacks the output-embedding row of a token that the method reads.</summary>
    internal void RequireRows(SequenceLayout layout)
    {
        foreach (int position in layout.ContextPositions.Concat(layout.AnswerPositions))
        {
            if (Array.BinarySearch(OutputIds, TokenIds[position]) < 0)
            {
                throw Fault($"lm_head_ids lacks the id {TokenIds[position]} at position {position}; the rows of all text tokens are needed");
            }
        }
    }
}
