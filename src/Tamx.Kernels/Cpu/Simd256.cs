using System.Runtime.Intrinsics;
using Floats = System.Runtime.Intrinsics.Vector256<float>;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 256 bits.</summary>
internal readonly unsafe struct Simd256 : ISimd<Floats>
{
    public static int Count => Floats.Count;

    public static Floats Create(float value) => Vector256.Create(value);

    public static Floats Load(float* source) => Vector256.Load(source);

    public static void Store(Floats value, float* destination) => value.Store(destination);

    public static Floats Add(Floats left, Floats right) => left + right;

    public static Floats Subtract(Floats left, Floats right) => left - right;

    public static Floats Multiply(Floats left, Floats right) => left * right;

    public static Floats Divide(Floats left, Floats right) => left / right;

    public static Floats MultiplyAdd(Floats left, Floats right, Floats addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    public static Floats Min(Floats left, Floats right) => Vector256.MinNative(left, right);

    public static Floats Max(Floats left, Floats right) => Vector256.MaxNative(left, right);

    public static Floats SelectEqual(Floats left, Floats right, Floats whereEqual, Floats elsewhere) =>
        Vector256.ConditionalSelect(Vector256.Equals(left, right), whereEqual, elsewhere);

    public static Floats Round(Floats value) => Vector256.Round(value);

    public static Floats Scale(Floats value, Floats exponent) =>
        (value.AsInt32() + (Vector256.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Floats value) =>
        Simd128.MinLane(Vector128.MinNative(value.GetLower(), value.GetUpper()));

    public static float MaxLane(Floats value) =>
        Simd128.MaxLane(Vector128.MaxNative(value.GetLower(), value.GetUpper()));

    public static void StoreSplit(Floats value, float* even, float* odd)
    {
        var split = Vector256.Shuffle(value, Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Floats LoadZip(float* even, float* odd) =>
        Vector256.Shuffle(
            Vector256.Create(Vector128.Load(even), Vector128.Load(odd)),
            Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)
        );
}
