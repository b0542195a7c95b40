using System.Runtime.Intrinsics;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 256 bits.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Count => Vector256<float>.Count;

    public static Vector256<float> Create(float value) => Vector256.Create(value);

    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    public static Vector256<float> Subtract(Vector256<float> left, Vector256<float> right) => left - right;

    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    public static Vector256<float> Min(Vector256<float> left, Vector256<float> right) => Vector256.MinNative(left, right);

    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Vector256.MaxNative(left, right);

    public static Vector256<float> SelectEqual(
        Vector256<float> left, Vector256<float> right, Vector256<float> whereEqual, Vector256<float> elsewhere) =>
        Vector256.ConditionalSelect(Vector256.Equals(left, right), whereEqual, elsewhere);

    public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    public static Vector256<float> Scale(Vector256<float> value, Vector256<float> exponent) =>
        (value.AsInt32() + (Vector256.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Vector256<float> value) => Simd128.MinLane(Vector128.MinNative(value.GetLower(), value.GetUpper()));

    public static float MaxLane(Vector256<float> value) => Simd128.MaxLane(Vector128.MaxNative(value.GetLower(), value.GetUpper()));

    public static void StoreSplit(Vector256<float> value, float* even, float* odd)
    {
        var split = Vector256.Shuffle(value, Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Vector256<float> LoadZip(float* even, float* odd) => Vector256.Shuffle(
        Vector256.Create(Vector128.Load(even), Vector128.Load(odd)),
        Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7));
}
