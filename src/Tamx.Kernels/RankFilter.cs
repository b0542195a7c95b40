namespace Tamx.Kernels;

/// <summary>The rank-Gaussian filter, in scalar float64: the definition that every engine is held to.</summary>
/// <remarks>
/// For each cell: sort the k x k window around it ascending to z_0..z_{n-1}, n = k*k. With the mean mu, the population
/// deviation sd and c = sd / mu, the result is sum z_j g_j / sum g_j, g_j = exp(-(j - n/2)^2 / (2 c^2)), n/2 rounded
/// down. mu &lt;= 0 gives 0. c = 0 (all values equal) gives 0 or the value; see <see cref="ConstantWindow"/>. Borders
/// are reflected without repeating the edge, more than once where the window is wider than the map. An axis of length 1
/// is repeated.
/// Source: the paper's Rank Gaussian Filter (arXiv 2506.23270), with the borders and special cases of TAMX's
/// <c>rank_gaussian_filter</c>.
/// </remarks>
public static class RankFilter
{
    /// <summary>The largest side of a window.</summary>
    public const int MaxKernelSize = 9;

    /// <summary>Filters one frame.</summary>
    /// <param name="frame">Values [rows, columns], row-major, finite.</param>
    /// <param name="rowCount">Rows, at least 1.</param>
    /// <param name="columnCount">Columns, at least 1.</param>
    /// <param name="kernelSize">Side of the window: 1 (the identity), 3, 5, 7 or 9.</param>
    /// <param name="constantWindow">What to make of a window of equal positive values.</param>
    /// <param name="destination">Receives [rows, columns]; must not overlap the frame.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there is no such kernel size.</exception>
    public static void Apply(
        ReadOnlySpan<double> frame,
        int rowCount,
        int columnCount,
        int kernelSize,
        ConstantWindow constantWindow,
        Span<double> destination
    )
    {
        ValidateKernelSize(kernelSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columnCount, 1);
        if (frame.Length != (long)rowCount * columnCount || destination.Length != frame.Length)
        {
            throw new ArgumentException($"Frame and destination must have {rowCount} x {columnCount} values.");
        }

        if (kernelSize == 1)
        {
            frame.CopyTo(destination);
            return;
        }

        var reach = kernelSize / 2;
        Span<double> window = stackalloc double[kernelSize * kernelSize];
        for (var row = 0; row < rowCount; row++)
        {
            for (var column = 0; column < columnCount; column++)
            {
                var count = 0;
                for (var y = row - reach; y <= row + reach; y++)
                {
                    var line = Reflect(y, rowCount) * columnCount;
                    for (var x = column - reach; x <= column + reach; x++)
                    {
                        window[count++] = frame[line + Reflect(x, columnCount)];
                    }
                }

                destination[row * columnCount + column] = FilterWindow(window, constantWindow);
            }
        }
    }

    /// <summary>Refuses kernel sizes that the filter does not have.</summary>
    /// <param name="kernelSize">Side of the window.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not 1, 3, 5, 7 or 9.</exception>
    public static void ValidateKernelSize(int kernelSize)
    {
        if (!IsKernelSize(kernelSize))
        {
            throw new ArgumentOutOfRangeException(
                nameof(kernelSize),
                kernelSize,
                "The kernel size must be 1, 3, 5, 7 or 9."
            );
        }
    }

    /// <summary>Whether the filter has a window of this side.</summary>
    /// <param name="kernelSize">Side of the window.</param>
    /// <returns>True for 1, 3, 5, 7 and 9.</returns>
    public static bool IsKernelSize(int kernelSize) => kernelSize is >= 1 and <= MaxKernelSize && kernelSize % 2 == 1;

    /// <summary>The index on an axis that an index past its ends is reflected to.</summary>
    internal static int Reflect(int index, int length)
    {
        if (length == 1)
        {
            return 0;
        }

        var period = 2 * (length - 1);
        index = ((index % period) + period) % period;
        return index < length ? index : period - index;
    }

    private static double FilterWindow(Span<double> window, ConstantWindow constantWindow)
    {
        window.Sort();
        var sum = 0.0;
        foreach (var value in window)
        {
            sum += value;
        }

        var mean = sum / window.Length;
        if (mean <= 0)
        {
            return 0;
        }

        // Compares values, since the mean of equal ones may be rounded, and their deviation is then not 0.
        if (window[0] == window[^1])
        {
            return constantWindow == ConstantWindow.Value ? window[0] : 0;
        }

        var squares = 0.0;
        foreach (var value in window)
        {
            squares += (value - mean) * (value - mean);
        }

        var twoVariance = 2 * (squares / window.Length) / (mean * mean);
        var centre = window.Length / 2;
        var weighted = 0.0;
        var weights = 0.0;
        for (var j = 0; j < window.Length; j++)
        {
            var weight = Math.Exp(-((j - centre) * (j - centre)) / twoVariance);
            weighted += window[j] * weight;
            weights += weight;
        }

        return weighted / weights;
    }
}
