namespace Tamx;

/// <summary>Maps as 8-bit pictures, the form in which the paper's evaluation thresholds them.</summary>
internal static class ByteMap
{
    private const int WeightBits = 11;

    /// <summary>Values in [0, 1] times 255, cut to whole numbers, as the paper's code converts its maps.</summary>
    /// <param name="map">Values; those outside [0, 1] are clamped.</param>
    public static byte[] FromUnit(ReadOnlySpan<float> map)
    {
        var bytes = new byte[map.Length];
        for (var i = 0; i < map.Length; i++)
        {
            bytes[i] = (byte)(Math.Clamp(map[i], 0f, 1f) * 255);
        }

        return bytes;
    }

    /// <summary>The map times 255 over its maximum, cut to whole numbers; an all-zero map stays so.</summary>
    /// <param name="map">Values, at least 0.</param>
    public static byte[] Stretched(ReadOnlySpan<float> map)
    {
        var maximum = 0f;
        foreach (var value in map)
        {
            maximum = Math.Max(maximum, value);
        }

        var bytes = new byte[map.Length];
        for (var i = 0; i < map.Length && maximum > 0; i++)
        {
            bytes[i] = (byte)(map[i] / maximum * 255);
        }

        return bytes;
    }

    /// <summary>
    /// Stretches a map to a picture's size with bilinear weights, to the last bit as OpenCV's <c>resize</c> does with
    /// 8-bit pictures.
    /// </summary>
    /// <param name="map">[rows, columns], row-major.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <returns>[height, width], row-major.</returns>
    /// <remarks>
    /// <para>
    /// Cell centres are aligned: source = (target + 1/2) x cells / pixels - 1/2, borders repeated. Weights are rounded
    /// to 1/2048. Horizontal sums are cut by 4 bits, and products with vertical weights by 16; the last two bits are
    /// rounded. OpenCV computes so (checked with 4.5.1), and a threshold can hang on one level.
    /// </para>
    /// <para>
    /// Beyond the first and last row, a border row has both weights. Each product is cut by itself, which can cost a
    /// level. Beyond the first and last column, a border column has one weight. OpenCV's shortcut for halving both
    /// sides is not followed.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentException">The number of values does not fit.</exception>
    public static byte[] Resize(ReadOnlySpan<byte> map, int rows, int columns, int height, int width)
    {
        if (map.Length != (long)rows * columns || map.IsEmpty)
        {
            throw new ArgumentException($"{rows} x {columns} are not {map.Length} values", nameof(map));
        }

        var horizontal = Weights(columns, width, isHorizontal: true);
        var vertical = Weights(rows, height, isHorizontal: false);
        var lines = new int[rows, width];
        for (var row = 0; row < rows; row++)
        {
            var line = map.Slice(row * columns, columns);
            for (var x = 0; x < width; x++)
            {
                var (first, second, firstWeight, secondWeight) = horizontal[x];
                lines[row, x] = ((line[first] * firstWeight) + (line[second] * secondWeight)) >> 4;
            }
        }

        var result = new byte[height * width];
        for (var y = 0; y < height; y++)
        {
            var (first, second, firstWeight, secondWeight) = vertical[y];
            for (var x = 0; x < width; x++)
            {
                var sum = ((firstWeight * lines[first, x]) >> 16) + ((secondWeight * lines[second, x]) >> 16);
                result[(y * width) + x] = (byte)((sum + 2) >> 2);
            }
        }

        return result;
    }

    private static (int First, int Second, int FirstWeight, int SecondWeight)[] Weights(
        int sourceCount,
        int targetCount,
        bool isHorizontal
    )
    {
        var weights = new (int, int, int, int)[targetCount];
        for (var i = 0; i < targetCount; i++)
        {
            var source = (float)(((i + 0.5) * sourceCount / targetCount) - 0.5);
            var first = (int)MathF.Floor(source);
            var share = source - first;
            if (isHorizontal && (first < 0 || first >= sourceCount - 1))
            {
                share = 0;
            }

            weights[i] = (InSource(first), InSource(first + 1), Round(1 - share), Round(share));
        }

        return weights;

        int InSource(int index) => Math.Clamp(index, 0, sourceCount - 1);

        static int Round(float weight) => (int)MathF.Round(weight * (1 << WeightBits));
    }
}
