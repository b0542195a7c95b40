using Tamx.Llama;

namespace Tamx;

/// <summary>A model's output-embedding rows, each read and dequantized once. Used by one thread at a time.</summary>
/// <param name="embedding">The model's output embedding.</param>
internal sealed class OutputRowCache(OutputEmbedding embedding)
{
    private readonly Dictionary<int, ReadOnlyMemory<float>> _rows = [];

    /// <summary>The rows of some ids.</summary>
    /// <param name="ids">Token ids [n].</param>
    /// <returns>The rows [n, D].</returns>
    public float[] Read(IReadOnlyList<int> ids)
    {
        var size = embedding.HiddenSize;
        int[] newIds = [.. ids.Where(id => !_rows.ContainsKey(id)).Distinct()];
        var newRows = embedding.ReadRows(newIds);
        foreach (var (index, id) in newIds.Index())
        {
            _rows.Add(id, newRows.AsMemory(index * size, size));
        }

        if (newIds.Length == ids.Count)
        {
            // None was known, so the rows are there in this very order.
            return newRows;
        }

        var rows = new float[checked(ids.Count * size)];
        foreach (var (index, id) in ids.Index())
        {
            _rows[id].Span.CopyTo(rows.AsSpan(index * size));
        }

        return rows;
    }
}
