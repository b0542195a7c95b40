namespace Tamx.Report;

/// <summary>
/// Vectors in the order of packing. A map is packed only when it is written. Relevance is packed at once, because its
/// length is not known before.
/// </summary>
/// <param name="bits">Bits per value, 8 or 16.</param>
internal sealed class PackedVectorList(int bits)
{
    private readonly List<(ReadOnlyMemory<float> Dense, byte[]? Sparse)> _vectors = [];
    private long _offset;

    /// <summary>Appends a vector and returns its future byte offset.</summary>
    public long AddDense(ReadOnlyMemory<float> values)
    {
        _vectors.Add((values, null));
        return Advance(PackedVectors.DenseBytes(values.Length, bits));
    }

    /// <inheritdoc cref="AddDense"/>
    public long AddSparse(ReadOnlySpan<float> values)
    {
        var packed = PackedVectors.Sparse(values, HtmlReportOptions.MostSources, bits);
        _vectors.Add((default, packed));
        return Advance(packed.Length);
    }

    public IEnumerable<byte[]> Packed() =>
        _vectors.Select(vector => vector.Sparse ?? PackedVectors.Dense(vector.Dense.Span, bits));

    private long Advance(long length)
    {
        var offset = _offset;
        _offset += length;
        return offset;
    }
}
