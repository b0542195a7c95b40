namespace Tamx.Evaluation;

/// <summary>How well a foreground of a map covers a mask.</summary>
/// <param name="Iou">Pixels in both over pixels in either; 0 where there are none in either.</param>
/// <param name="Precision">Pixels in both over pixels of the foreground; 0 without foreground.</param>
/// <param name="Recall">Pixels in both over pixels of the mask; 0 for an empty mask.</param>
internal readonly record struct RegionOverlap(double Iou, double Precision, double Recall)
{
    /// <summary>Compares the pixels of a map that are above a threshold with a mask.</summary>
    /// <param name="map">Map at the mask's size, row-major.</param>
    /// <param name="threshold">Values above it are foreground.</param>
    /// <param name="mask">The mask.</param>
    /// <exception cref="ArgumentException">Map and mask differ in size.</exception>
    public static RegionOverlap Of(ReadOnlySpan<byte> map, int threshold, PixelMask mask)
    {
        var pixels = mask.Pixels;
        if (map.Length != pixels.Length)
        {
            throw new ArgumentException($"the map has {map.Length} pixels, the mask {pixels.Length}", nameof(map));
        }

        var (both, foreground) = (0, 0);
        for (var i = 0; i < map.Length; i++)
        {
            if (map[i] > threshold)
            {
                foreground++;
                both += pixels[i] ? 1 : 0;
            }
        }

        var either = foreground + mask.Count - both;
        return new RegionOverlap(Share(both, either), Share(both, foreground), Share(both, mask.Count));

        static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;
    }
}
