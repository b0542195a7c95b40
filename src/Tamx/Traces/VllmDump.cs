using Tamx.Llama;

namespace Tamx;

/// <summary>
/// A dump of vLLM's <c>extract_hidden_states</c>: <c>hidden_states</c> [rows, layers, D] of the residual stream, before
/// any norm, and <c>token_ids</c> [tokens]. Only the layers that are needed are read.
/// </summary>
/// <remarks>Source: docs.vllm.ai, "Hidden State Extraction" (v0.22).</remarks>
internal static class VllmDump
{
    private const string States = "hidden_states";
    private const string Ids = "token_ids";

    /// <summary>Whether a file is one.</summary>
    public static bool IsOne(SafetensorsFile file) =>
        file.Tensors.TryGetValue(States, out var states)
        && states.Shape.Count == 3
        && file.Tensors.ContainsKey(Ids)
        && !file.Tensors.ContainsKey(TraceFormat.HiddenState);

    /// <summary>What it takes: the layers that are read, as float32.</summary>
    public static TraceSize Measure(SafetensorsFile file, DumpOptions options) =>
        file.Tensors.TryGetValue(States, out var states) && states.Shape is [_, > 0 and var layers, _]
            ? new TraceSize(states.ElementCount / layers * Math.Max(1, options.DumpLayers.Count) * sizeof(float), 0)
            : default;

    /// <summary>Reads it.</summary>
    public static Trace Read(SafetensorsFile file, string? modelPath, DumpOptions options)
    {
        if (
            !file.Tensors.TryGetValue(States, out var tensor)
            || !file.Tensors.ContainsKey(Ids)
            || tensor.Shape.Count != 3
        )
        {
            throw file.Fault($"is no dump of vLLM: {States} [tokens, layers, values] and {Ids} are needed");
        }

        var (rows, layers, size) = (tensor.Shape[0], tensor.Shape[1], tensor.Shape[2]);
        if (rows is < 1 or > int.MaxValue || layers < 1 || size is < 1 or > int.MaxValue)
        {
            throw file.Fault($"tensor {States} is {tensor.Describe()}; tokens, layers and values are needed");
        }

        if (file.Tensors[Ids].ElementCount > rows + 1)
        {
            throw file.Fault($"tensor {Ids} has {file.Tensors[Ids].ElementCount} ids for {rows} rows of {States}");
        }

        if (options.DumpLayers.Count > 0 && options.DumpLayers.Count != layers)
        {
            throw new TraceFormatException(
                file.Path,
                (FormattableString)
                    $"tensor {States} holds {layers} layers, but {new Setting(nameof(DumpOptions.DumpLayers))} names {options.DumpLayers.Count}"
            );
        }

        return ServerDump.ToTrace(
            file.Path,
            file.ReadIds(Ids),
            (int)size,
            (int)rows,
            norm =>
                (
                    ReadLayer(norm, layers - 1),
                    [
                        .. options
                            .DumpLayers.SkipLast(1)
                            .Select((layer, index) => new LayerStates(layer, ReadLayer(norm, index), null))
                            .OrderBy(states => states.Layer),
                    ]
                ),
            modelPath,
            options
        );

        float[] ReadLayer(OutputNorm norm, long index)
        {
            var states = new float[checked((int)(rows * size))];
            for (long row = 0; row < rows; row++)
            {
                file.ReadSingles(States, ((row * layers) + index) * size, size)
                    .CopyTo(states, checked((int)(row * size)));
            }

            norm.Apply(states, states);
            return states;
        }
    }
}
