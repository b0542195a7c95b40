using System.Runtime.Intrinsics;
using Floats = System.Runtime.Intrinsics.Vector512<float>;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 512 bits.</summary>
internal readonly unsafe struct Simd512 : ISimd<Floats>
{
    public static int Count => Floats.Count;

    public static Floats Create(float value) => Vector512.Create(value);

    public static Floats Load(float* source) => Vector512.Load(source);

    public static void Store(Floats value, float* destination) => value.Store(destination);

    public static Floats Add(Floats left, Floats right) => left + right;

    public static Floats Subtract(Floats left, Floats right) => left - right;

    public static Floats Multiply(Floats left, Floats right) => left * right;

    public static Floats Divide(Floats left, Floats right) => left / right;

    public static Floats MultiplyAdd(Floats left, Floats right, Floats addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    public static Floats Min(Floats left, Floats right) => Vector512.MinNative(left, right);

    public static Floats Max(Floats left, Floats right) => Vector512.MaxNative(left, right);

    public static Floats SelectEqual(Floats left, Floats right, Floats whereEqual, Floats elsewhere) =>
        Vector512.ConditionalSelect(Vector512.Equals(left, right), whereEqual, elsewhere);

    public static Floats Round(Floats value) => Vector512.Round(value);

    public static Floats Scale(Floats value, Floats exponent) =>
        (value.AsInt32() + (Vector512.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Floats value) =>
        Simd256.MinLane(Vector256.MinNative(value.GetLower(), value.GetUpper()));

    public static float MaxLane(Floats value) =>
        Simd256.MaxLane(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    public static void StoreSplit(Floats value, float* even, float* odd)
    {
        var split = Vector512.Shuffle(value, Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Floats LoadZip(float* even, float* odd) =>
        Vector512.Shuffle(
            Vector512.Create(Vector256.Load(even), Vector256.Load(odd)),
            Vector512.Create(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)
        );
}
