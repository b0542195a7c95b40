namespace Tamx;

/// <summary>A run as the method reads it: hidden states by position, output rows and texts by token id.</summary>
internal interface IRunRows
{
    /// <summary>Values per row.</summary>
    int HiddenSize { get; }

    /// <summary>The hidden state of a position.</summary>
    ReadOnlySpan<float> StateAt(int position) => StatesOf(position, 1);

    /// <summary>
    /// The hidden states of positions in a row, without a copy. One call can cover any positions outside an answer that
    /// is being written.
    /// </summary>
    ReadOnlySpan<float> StatesOf(int firstPosition, int count);

    /// <summary>The last hidden state of a position, which gives logits; whatever layer the maps are from.</summary>
    ReadOnlySpan<float> FinalStateAt(int position);

    /// <summary>The output-embedding row of a token that is in use.</summary>
    ReadOnlySpan<float> RowOf(int tokenId);

    /// <summary>The bytes of a token that is in use, or null in a run without texts.</summary>
    ReadOnlyMemory<byte>? FindBytes(int tokenId);
}
