using Tamx.Llama.Gguf;

namespace Tamx.Llama.Capture;

/// <summary>
/// What each layer's softmax attention read: the values of every position, and the attention weights of the positions
/// that predict the answer's tokens.
/// </summary>
/// <remarks>
/// A hybrid's other layers have no such weights (<see cref="ModelFacts.AttentionLayers"/>). Used by one caller at a time, together
/// with its completion. It outlives the completion.
/// </remarks>
public sealed class CapturedAttention
{
    private readonly Dictionary<int, float[]> _values;
    private readonly List<AttentionRows> _rows = [];

    internal CapturedAttention(ModelFacts facts, int capacity)
    {
        Facts = facts;
        ValueSize = facts.KeyValueHeadCount * facts.HeadSize;
        _values = facts.AttentionLayers.ToDictionary(layer => layer, _ => new float[checked(capacity * ValueSize)]);
    }

    /// <summary>The model: layers, heads and their size.</summary>
    public ModelFacts Facts { get; }

    /// <summary>Values per position and layer: KV heads x head size.</summary>
    public int ValueSize { get; }

    /// <summary>The rows since the last <see cref="ReleaseBefore"/>, in order.</summary>
    public IReadOnlyList<AttentionRows> Rows => _rows;

    /// <summary>Bytes that the rows hold.</summary>
    public long ByteCount => _rows.Sum(rows => rows.ByteCount);

    /// <summary>The values (V) of all positions decoded so far, [positions, <see cref="ValueSize"/>].</summary>
    /// <param name="layer">A layer with softmax attention.</param>
    public ReadOnlyMemory<float> ValuesOf(int layer) => _values[layer];

    /// <summary>The values of all layers, in order.</summary>
    internal IEnumerable<PositionRows> ValueRows =>
        Facts.AttentionLayers.Select(layer => new PositionRows(_values[layer], ValueSize));

    /// <summary>Lets go of the rows before a position, which are most of the memory. The values stay.</summary>
    /// <param name="position">The first position whose rows are still needed.</param>
    public void ReleaseBefore(int position) => _rows.RemoveAll(rows => rows.ColumnCount <= position);

    /// <summary>Bytes that the rows of one position take.</summary>
    internal static long RowBytes(ModelFacts facts, int position) =>
        sizeof(float)
        * (
            ((long)facts.LayerCount * facts.HiddenSize)
            + (
                facts.AttentionLayers.Count
                * (((long)facts.HeadCount * (position + 1)) + facts.HiddenSize + AttentionRows.GateSize(facts))
            )
        );

    /// <summary>Bytes that the values of so many positions take.</summary>
    internal static long ValueBytes(ModelFacts facts, int capacity) =>
        sizeof(float) * (long)facts.AttentionLayers.Count * facts.KeyValueHeadCount * facts.HeadSize * capacity;

    /// <summary>Where a decode's values go, and the rows of its last tokens.</summary>
    /// <param name="firstToken">Tokens decoded before it.</param>
    /// <param name="tokenCount">Tokens of the decode.</param>
    /// <param name="rows">The rows of the tokens that predict; null where none does.</param>
    internal IEnumerable<CaptureTarget> TargetsOf(int firstToken, int tokenCount, AttentionRows? rows)
    {
        foreach (var layer in Facts.AttentionLayers)
        {
            var values = _values[layer].AsMemory(firstToken * ValueSize, tokenCount * ValueSize);
            yield return new CaptureTarget(LayerTensor.Values, layer, values, 0, ValueSize);
        }

        if (rows is null)
        {
            yield break;
        }

        var first = rows.FirstPosition - firstToken;
        var (size, heads) = (Facts.HiddenSize, Facts.HeadCount);
        for (var layer = 0; layer < Facts.LayerCount; layer++)
        {
            yield return new CaptureTarget(LayerTensor.Residual, layer, rows.Residuals[layer], first, size);
        }

        foreach (var layer in Facts.AttentionLayers)
        {
            var residual = rows.AttentionResiduals[layer];
            yield return new CaptureTarget(LayerTensor.AttentionResidual, layer, residual, first, size);
            var weights = rows.Weights[layer];
            yield return new CaptureTarget(LayerTensor.Attention, layer, weights, first, rows.ColumnCount, heads);
            if (rows.Gates[layer] is { Length: > 0 } gates)
            {
                yield return new CaptureTarget(LayerTensor.Gate, layer, gates, first, AttentionRows.GateSize(Facts));
            }
        }
    }

    /// <summary>Keeps the rows of a decode that has succeeded.</summary>
    internal void Add(AttentionRows rows) => _rows.Add(rows);
}

/// <summary>Attention weights, and the residual stream around them, of adjacent positions.</summary>
public sealed class AttentionRows
{
    internal AttentionRows(ModelFacts facts, int firstPosition, int count, float[] embeddings)
    {
        FirstPosition = firstPosition;
        Count = count;
        Embeddings = embeddings;
        Residuals = [.. Enumerable.Range(0, facts.LayerCount).Select(_ => Array(count * facts.HiddenSize))];
        AttentionResiduals = Arrays(count * facts.HiddenSize);
        Weights = Arrays(checked(facts.HeadCount * count * ColumnCount));
        Gates = Arrays(count * GateSize(facts));

        Dictionary<int, float[]> Arrays(int length) =>
            facts.AttentionLayers.ToDictionary(layer => layer, _ => Array(length));

        static float[] Array(int length) => GC.AllocateUninitializedArray<float>(length);
    }

    /// <summary>The first position.</summary>
    public int FirstPosition { get; }

    /// <summary>Number of positions.</summary>
    public int Count { get; }

    /// <summary>Positions that the weights cover: all up to the last of these.</summary>
    public int ColumnCount => FirstPosition + Count;

    /// <summary>The token's input embedding, where the residual stream starts [count, hidden size].</summary>
    public ReadOnlyMemory<float> Embeddings { get; }

    /// <summary>Bytes of it all.</summary>
    internal long ByteCount =>
        sizeof(float)
        * Residuals
            .Concat(AttentionResiduals.Values)
            .Concat(Weights.Values)
            .Concat(Gates.Values)
            .Sum(array => array.LongLength);

    internal float[][] Residuals { get; }

    internal Dictionary<int, float[]> AttentionResiduals { get; }

    internal Dictionary<int, float[]> Weights { get; }

    internal Dictionary<int, float[]> Gates { get; }

    /// <summary>Values of a position's gates in a layer: one per query, or none.</summary>
    internal static int GateSize(ModelFacts facts) => facts.HasAttentionGates ? facts.HeadCount * facts.HeadSize : 0;

    /// <summary>Attention weights [heads, count, columns]; a position's sum to 1 over those up to it.</summary>
    /// <param name="layer">A layer with softmax attention.</param>
    public ReadOnlyMemory<float> WeightsOf(int layer) => Weights[layer];

    /// <summary>The residual stream after a layer (<c>l_out</c>) [count, hidden size].</summary>
    /// <param name="layer">The layer, from 0.</param>
    public ReadOnlyMemory<float> ResidualOf(int layer) => Residuals[layer];

    /// <summary>The residual stream after a layer's attention (<c>ffn_inp</c>) [count, hidden size].</summary>
    /// <param name="layer">A layer with softmax attention.</param>
    public ReadOnlyMemory<float> AttentionResidualOf(int layer) => AttentionResiduals[layer];

    /// <summary>
    /// What a hybrid's heads multiply by what they read, before the output matrix [count, heads x head size]; empty in
    /// other models, whose heads have no gates.
    /// </summary>
    /// <param name="layer">A layer with softmax attention.</param>
    public ReadOnlyMemory<float> GatesOf(int layer) => Gates[layer];
}
