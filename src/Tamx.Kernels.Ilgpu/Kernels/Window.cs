using ILGPU;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>What the rank filters of all sides share.</summary>
internal static class Window
{
    /// <summary>The index within an axis that an index beyond its ends stands for.</summary>
    public static int Reflect(int i, int length)
    {
        i = i < 0 ? -i : i;
        i = i >= length ? 2 * (length - 1) - i : i;
        if (i < 0 || i >= length)
        {
            // The window is wider than the map: reflected again and again.
            int period = length > 1 ? 2 * (length - 1) : 1;
            i %= period;
            i = i < 0 ? i + period : i;
            i = i < length ? i : period - i;
        }

        return i;
    }

    /// <summary>A power of two near 1 / mean, so that no square leaves the range of float32.</summary>
    public static float Scale(float mean)
    {
        uint exponent = Interop.FloatAsInt(mean) & 0x7f800000u;
        return Interop.IntAsFloat(exponent < 0x7e800000u ? 0x7f000000u - exponent : 0x00800000u);
    }
}
