namespace Tamx.Evaluation;

/// <summary>How alike two models' maps of the same answer are.</summary>
/// <param name="Maps">Which maps.</param>
/// <param name="Count">Tokens compared: those whose map varies in both models.</param>
/// <param name="Correlation">
/// Mean over them of the Pearson correlation of the two maps over their cells. Null where none was compared.
/// </param>
public sealed record MapAgreement(MapKind Maps, int Count, double? Correlation)
{
    /// <summary>Compares the maps of one answer.</summary>
    /// <param name="kind">Which maps.</param>
    /// <param name="maps">One model's maps, per token.</param>
    /// <param name="others">The other's, of the same tokens and grids.</param>
    internal static MapAgreement Of(MapKind kind, IReadOnlyList<float[]> maps, IReadOnlyList<float[]> others)
    {
        double[] correlations = [.. maps.Zip(others, Correlate).OfType<double>()];
        return new MapAgreement(kind, correlations.Length, correlations.Length > 0 ? correlations.Average() : null);
    }

    /// <summary>All samples together; every token counts once.</summary>
    /// <param name="agreements">The samples', at least one, all of the same kind of maps.</param>
    internal static MapAgreement Join(IReadOnlyCollection<MapAgreement> agreements)
    {
        var count = agreements.Sum(item => item.Count);
        var sum = agreements.Sum(item => (item.Correlation ?? 0) * item.Count);
        return new MapAgreement(agreements.First().Maps, count, count > 0 ? sum / count : null);
    }

    /// <summary>Pearson's correlation of two maps over their cells; null where one of them is constant.</summary>
    /// <param name="map">A map.</param>
    /// <param name="other">Another of as many cells.</param>
    internal static double? Correlate(float[] map, float[] other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Length, map.Length);
        var (mean, otherMean) = (map.Average(value => (double)value), other.Average(value => (double)value));
        var (product, square, otherSquare) = (0.0, 0.0, 0.0);
        for (var cell = 0; cell < map.Length; cell++)
        {
            var (x, y) = (map[cell] - mean, other[cell] - otherMean);
            product += x * y;
            square += x * x;
            otherSquare += y * y;
        }

        return square > 0 && otherSquare > 0 ? product / Math.Sqrt(square * otherSquare) : null;
    }
}
