using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

internal static class Exponential
{
    /// <summary>
    /// exp(x) for x &lt;= 0; 0 below -87. It is 2^f by Taylor's series in f ln 2, |f| &lt;= 1/2. The relative error is
    /// about 1e-7 near 0. Without fused multiply-add it is up to 5e-6 below -40, where the result is below 1e-17 of the
    /// sum that it is added to. ILGPU's own exponential is a loop, or needs a library of CUDA's compiler.
    /// </summary>
    public static float Of(float x)
    {
        var whole = (int)(Math.Max(x * 1.44269504f, -126) - 0.5f);
        var rest = x * 1.44269504f - whole;
        rest += x * 1.925963033e-8f;
        var value = 1.52527338e-5f;
        value = value * rest + 1.54035304e-4f;
        value = value * rest + 1.33335581e-3f;
        value = value * rest + 9.61812911e-3f;
        value = value * rest + 5.55041087e-2f;
        value = value * rest + 2.40226507e-1f;
        value = value * rest + 6.93147181e-1f;
        value = value * rest + 1;
        return x < -87 ? 0 : value * Interop.IntAsFloat((uint)(whole + 127) << 23);
    }
}
