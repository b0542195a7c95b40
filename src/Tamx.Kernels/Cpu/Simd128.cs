using System.Runtime.Intrinsics;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 128 bits.</summary>
internal readonly unsafe struct Simd128 : ISimd<Vector128<float>>
{
    public static int Count => Vector128<float>.Count;

    public static Vector128<float> Create(float value) => Vector128.Create(value);

    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    public static Vector128<float> Subtract(Vector128<float> left, Vector128<float> right) => left - right;

    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    public static Vector128<float> Min(Vector128<float> left, Vector128<float> right) => Vector128.MinNative(left, right);

    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) => Vector128.MaxNative(left, right);

    public static Vector128<float> SelectEqual(
        Vector128<float> left, Vector128<float> right, Vector128<float> whereEqual, Vector128<float> elsewhere) =>
        Vector128.ConditionalSelect(Vector128.Equals(left, right), whereEqual, elsewhere);

    public static Vector128<float> Round(Vector128<float> value) => Vector128.Round(value);

    public static Vector128<float> Scale(Vector128<float> value, Vector128<float> exponent) =>
        (value.AsInt32() + (Vector128.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Vector128<float> value) => MathF.Min(MathF.Min(value[0], value[1]), MathF.Min(value[2], value[3]));

    public static float MaxLane(Vector128<float> value) => MathF.Max(MathF.Max(value[0], value[1]), MathF.Max(value[2], value[3]));

    public static void StoreSplit(Vector128<float> value, float* even, float* odd)
    {
        var split = Vector128.Shuffle(value, Vector128.Create(0, 2, 1, 3));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Vector128<float> LoadZip(float* even, float* odd) => Vector128.Shuffle(
        Vector128.Create(Vector64.Load(even), Vector64.Load(odd)),
        Vector128.Create(0, 2, 1, 3));
}
