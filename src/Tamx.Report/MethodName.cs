namespace Tamx.Report;

/// <summary>How maps were computed, in plain words.</summary>
internal static class MethodName
{
    /// <summary>The method and its layer.</summary>
    public static string Of(TamOptions options) =>
        options switch
        {
            { Method: MapMethod.Evidence } => "Evidence, all layers",
            { Method: MapMethod.Lens } => $"Logit lens, layer {options.Layer}",
            { Method: MapMethod.Joint } => $"Evidence and logit lens, layer {options.Layer}",
            { Layer: >= 0 } => $"TAM, layer {options.Layer}",
            _ => "TAM, last layer",
        };
}
