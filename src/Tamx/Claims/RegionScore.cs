using System.Text.Json.Serialization;

namespace Tamx;

/// <summary>Where the evidence for a region lies.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EvidencePlace>))]
public enum EvidencePlace
{
    /// <summary>In the region.</summary>
    [JsonStringEnumMemberName("inside")]
    Inside,

    /// <summary>Elsewhere in the picture.</summary>
    [JsonStringEnumMemberName("elsewhere")]
    Elsewhere,

    /// <summary>The map is all zero, so it says nothing.</summary>
    [JsonStringEnumMemberName("nowhere")]
    Nowhere,
}

/// <summary>How far a map and a region of the picture agree, on the map's cells.</summary>
/// <param name="Iou">
/// Intersection over union of the region and the cells above Otsu's threshold of the map. Cells count with the part
/// that lies in the region. Null for a point.
/// </param>
/// <param name="Pointing">
/// 1 if the cell with the largest value lies in the region, else 0. A cell does if half of it does; where the region
/// holds half of none, it is those that it covers most. Of several such cells it is the share that does.
/// </param>
/// <param name="Mass">The share of the map's sum that lies in the region.</param>
/// <param name="Area">The share of the picture that the region covers: what a uniform map has as mass.</param>
/// <param name="Place">
/// <see cref="EvidencePlace.Inside"/> if the map's mean in the region is at least <see cref="LeastContrast"/> times its
/// mean outside.
/// </param>
public sealed record RegionScore(double? Iou, double Pointing, double Mass, double Area, EvidencePlace Place)
{
    /// <summary>
    /// A region has the map's evidence if the map's mean there is at least this many times its mean outside.
    /// </summary>
    /// <remarks>Measured on scenes, with right boxes and boxes beside them (docs/claims.md).</remarks>
    public const double LeastContrast = 2;

    /// <summary>Scores a map of a picture.</summary>
    /// <param name="map">The map; of a video it is the first frame's that counts.</param>
    /// <param name="box">The region. A point stands for the cell it lies in and the eight around it.</param>
    public static RegionScore Of(ActivationMap map, RegionBox box)
    {
        ArgumentNullException.ThrowIfNull(map);
        var (rows, columns) = (map.Grid.Rows, map.Grid.Columns);
        var values = map.Values.Span[..(rows * columns)];
        var region = box.OnGrid(rows, columns);
        var coverage = region.Coverage(rows, columns);
        var bytes = ByteMap.Stretched(values);
        var threshold = OtsuThreshold.Of(bytes);
        var least = Math.Min(0.5, coverage.Max());
        var (best, hits, peaks) = (0f, 0, 0);
        var (inside, all, both, foreground, covered) = (0.0, 0.0, 0.0, 0, 0.0);
        for (var cell = 0; cell < values.Length; cell++)
        {
            var value = values[cell];
            all += value;
            inside += value * coverage[cell];
            covered += coverage[cell];
            if (bytes[cell] > threshold)
            {
                foreground++;
                both += coverage[cell];
            }

            if (value > best)
            {
                (best, hits, peaks) = (value, 0, 0);
            }

            if (best > 0 && value == best)
            {
                hits += coverage[cell] > 0 && coverage[cell] >= least ? 1 : 0;
                peaks++;
            }
        }

        var mass = all > 0 ? inside / all : 0;
        return new RegionScore(
            box.IsPoint ? null : both / (foreground + covered - both),
            peaks > 0 ? (double)hits / peaks : 0,
            mass,
            region.Area,
            peaks == 0 ? EvidencePlace.Nowhere
                : mass * (1 - region.Area) >= LeastContrast * (1 - mass) * region.Area ? EvidencePlace.Inside
                : EvidencePlace.Elsewhere
        );
    }
}
