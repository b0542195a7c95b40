using Tamx.Llama.Gguf;

namespace Tamx.Llama.Capture;

/// <summary>
/// What each layer's attention read: the values of every position, and the attention weights of the positions that
/// predict the answer's tokens.
/// </summary>
/// <remarks>Used by one caller at a time, together with its completion. It outlives the completion.</remarks>
public sealed class CapturedAttention
{
    private readonly float[][] _values;
    private readonly List<AttentionRows> _rows = [];

    internal CapturedAttention(ModelFacts facts, int capacity)
    {
        Facts = facts;
        ValueSize = facts.KeyValueHeadCount * facts.HeadSize;
        _values = [.. Enumerable.Range(0, facts.LayerCount).Select(_ => new float[checked(capacity * ValueSize)])];
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
    /// <param name="layer">The layer, from 0.</param>
    public ReadOnlyMemory<float> ValuesOf(int layer) => _values[layer];

    /// <summary>Lets go of the rows before a position, which are most of the memory. The values stay.</summary>
    /// <param name="position">The first position whose rows are still needed.</param>
    public void ReleaseBefore(int position) => _rows.RemoveAll(rows => rows.ColumnCount <= position);

    /// <summary>Bytes that the rows of one position take.</summary>
    internal static long RowBytes(ModelFacts facts, int position) =>
        sizeof(float) * (long)facts.LayerCount * (((long)facts.HeadCount * (position + 1)) + (2 * facts.HiddenSize));

    /// <summary>Bytes that the values of so many positions take.</summary>
    internal static long ValueBytes(ModelFacts facts, int capacity) =>
        sizeof(float) * (long)facts.LayerCount * facts.KeyValueHeadCount * facts.HeadSize * capacity;

    /// <summary>Where a decode's values go, and the rows of its last tokens.</summary>
    /// <param name="firstToken">Tokens decoded before it.</param>
    /// <param name="tokenCount">Tokens of the decode.</param>
    /// <param name="rows">The rows of the tokens that predict; null where none does.</param>
    internal IEnumerable<CaptureTarget> TargetsOf(int firstToken, int tokenCount, AttentionRows? rows)
    {
        for (var layer = 0; layer < Facts.LayerCount; layer++)
        {
            var values = _values[layer].AsMemory(firstToken * ValueSize, tokenCount * ValueSize);
            yield return new CaptureTarget(LayerTensor.Values, layer, values, 0, ValueSize);
            if (rows is null)
            {
                continue;
            }

            var first = rows.FirstPosition - firstToken;
            var (size, heads) = (Facts.HiddenSize, Facts.HeadCount);
            yield return new CaptureTarget(LayerTensor.Residual, layer, rows.Residuals[layer], first, size);
            yield return new CaptureTarget(
                LayerTensor.AttentionResidual,
                layer,
                rows.AttentionResiduals[layer],
                first,
                size
            );
            yield return new CaptureTarget(
                LayerTensor.Attention,
                layer,
                rows.Weights[layer],
                first,
                rows.ColumnCount,
                heads
            );
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
        Residuals = Arrays(count * facts.HiddenSize);
        AttentionResiduals = Arrays(count * facts.HiddenSize);
        Weights = Arrays(checked(facts.HeadCount * count * ColumnCount));

        float[][] Arrays(int length) =>
            [.. Enumerable.Range(0, facts.LayerCount).Select(_ => GC.AllocateUninitializedArray<float>(length))];
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
        sizeof(float) * (long)Weights.Length * (Weights[0].Length + Residuals[0].Length + AttentionResiduals[0].Length);

    internal float[][] Residuals { get; }

    internal float[][] AttentionResiduals { get; }

    internal float[][] Weights { get; }

    /// <summary>Attention weights [heads, count, columns]; a position's sum to 1 over those up to it.</summary>
    /// <param name="layer">The layer, from 0.</param>
    public ReadOnlyMemory<float> WeightsOf(int layer) => Weights[layer];

    /// <summary>The residual stream after a layer (<c>l_out</c>) [count, hidden size].</summary>
    /// <param name="layer">The layer, from 0.</param>
    public ReadOnlyMemory<float> ResidualOf(int layer) => Residuals[layer];

    /// <summary>The residual stream after a layer's attention (<c>ffn_inp</c>) [count, hidden size].</summary>
    /// <param name="layer">The layer, from 0.</param>
    public ReadOnlyMemory<float> AttentionResidualOf(int layer) => AttentionResiduals[layer];
}
