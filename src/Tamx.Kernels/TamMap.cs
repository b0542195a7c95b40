namespace Tamx.Kernels;

/// <summary>One map to compute: an explained token over a vision block.</summary>
/// <param name="Block">Index of the block.</param>
/// <param name="OutputRow">Index of the explained token's output row.</param>
/// <param name="Range">Index of its normalisation range. Maps that share a range are normalised together.</param>
public readonly record struct TamMap(int Block, int OutputRow, int Range);
