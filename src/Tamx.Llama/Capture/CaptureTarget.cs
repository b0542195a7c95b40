namespace Tamx.Llama.Capture;

/// <summary>A tensor of a layer that a decode captures, and where its rows go.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Destination">Room for [rows, columns], or for attention [heads, rows, columns].</param>
/// <param name="FirstRow">The first of the decode's tokens that is wanted; those after it are, too.</param>
/// <param name="Columns">Values per row. Of attention, the tokens so far.</param>
/// <param name="Heads">Heads of attention; 1 for other tensors.</param>
internal readonly record struct CaptureTarget(
    LayerTensor Tensor,
    int Layer,
    Memory<float> Destination,
    int FirstRow,
    int Columns,
    int Heads = 1
);
