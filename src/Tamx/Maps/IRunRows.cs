namespace Tamx;

/// <summary>
/// What the method reads of a run: hidden states by position, output-embedding rows and texts by token id.
/// </summary>
internal interface IRunRows
{
    /// <summary>Values per row.</summary>
    int HiddenSize { get; }

    /// <summary>The hidden state of a position.</summary>
    ReadOnlySpan<float> StateAt(int position) => StatesOf(position, 1);

    /// <summary>
    /// The hidden states of positions that follow each other, where they lie; all positions but those of an answer that
    /// is being written can be had together.
    /// </summary>
    ReadOnlySpan<float> StatesOf(int firstPosition, int count);

    /// <summary>The output-embedding row of a token that is in use.</summary>
    ReadOnlySpan<float> RowOf(int tokenId);

    /// <summary>The bytes of a token that is in use, or null in a run without texts.</summary>
    ReadOnlyMemory<byte>? FindBytes(int tokenId);
}
