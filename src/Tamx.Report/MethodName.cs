namespace Tamx.Report;

/// <summary>How maps were computed, in plain words.</summary>
internal static class MethodName
{
    /// <summary>The method and its layer.</summary>
    /// <param name="options">How they were computed.</param>
    /// <param name="run">The run that they are of. In hybrids not all layers give evidence.</param>
    public static string Of(TamOptions options, RunInfo run) =>
        options switch
        {
            { Method: MapMethod.Evidence } => run.AttentionLayers is { } some
                ? $"Evidence, {some} layers: those with softmax attention"
                : "Evidence, all layers",
            { Method: MapMethod.Lens } => $"Logit lens, layer {options.Layer}",
            { Method: MapMethod.Joint } => run.AttentionLayers is { } some
                ? $"Evidence ({some} layers: those with softmax attention) and logit lens, layer {options.Layer}"
                : $"Evidence and logit lens, layer {options.Layer}",
            { Layer: >= 0 } => $"TAM, layer {options.Layer}",
            _ => "TAM, last layer",
        };
}
