using System.Runtime.Intrinsics;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 512 bits.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Count => Vector512<float>.Count;

    public static Vector512<float> Create(float value) => Vector512.Create(value);

    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    public static Vector512<float> Subtract(Vector512<float> left, Vector512<float> right) => left - right;

    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    public static Vector512<float> Min(Vector512<float> left, Vector512<float> right) => Vector512.MinNative(left, right);

    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.MaxNative(left, right);

    public static Vector512<float> SelectEqual(
        Vector512<float> left, Vector512<float> right, Vector512<float> whereEqual, Vector512<float> elsewhere) =>
        Vector512.ConditionalSelect(Vector512.Equals(left, right), whereEqual, elsewhere);

    public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    public static Vector512<float> Scale(Vector512<float> value, Vector512<float> exponent) =>
        (value.AsInt32() + (Vector512.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Vector512<float> value) => Simd256.MinLane(Vector256.MinNative(value.GetLower(), value.GetUpper()));

    public static float MaxLane(Vector512<float> value) => Simd256.MaxLane(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    public static void StoreSplit(Vector512<float> value, float* even, float* odd)
    {
        var split = Vector512.Shuffle(value, Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Vector512<float> LoadZip(float* even, float* odd) => Vector512.Shuffle(
        Vector512.Create(Vector256.Load(even), Vector256.Load(odd)),
        Vector512.Create(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
}
