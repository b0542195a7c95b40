namespace Tamx;

/// <summary>What a logit lens reads of an earlier layer.</summary>
/// <param name="Layer">The layer, from 0. After it llama.cpp's residual stream is <c>l_out-K</c>.</param>
/// <param name="HiddenStates">
/// The residual stream after the layer with the model's final norm applied, as many rows as
/// <see cref="Trace.HiddenStates"/> [rows, D].
/// </param>
/// <param name="LogSums">
/// ln of the sum of exp(logit) over the vocabulary, for each row [rows]. Null where it was not computed;
/// <see cref="MapMethod.Lens"/> needs it.
/// </param>
public sealed record LayerStates(int Layer, ReadOnlyMemory<float> HiddenStates, ReadOnlyMemory<float>? LogSums = null);
