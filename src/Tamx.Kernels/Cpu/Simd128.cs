using System.Runtime.Intrinsics;
using Floats = System.Runtime.Intrinsics.Vector128<float>;

namespace Tamx.Kernels.Cpu;

/// <summary>Vectors of 128 bits.</summary>
internal readonly unsafe struct Simd128 : ISimd<Floats>
{
    public static int Count => Floats.Count;

    public static Floats Create(float value) => Vector128.Create(value);

    public static Floats Load(float* source) => Vector128.Load(source);

    public static void Store(Floats value, float* destination) => value.Store(destination);

    public static Floats Add(Floats left, Floats right) => left + right;

    public static Floats Subtract(Floats left, Floats right) => left - right;

    public static Floats Multiply(Floats left, Floats right) => left * right;

    public static Floats Divide(Floats left, Floats right) => left / right;

    public static Floats MultiplyAdd(Floats left, Floats right, Floats addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    public static Floats Min(Floats left, Floats right) => Vector128.MinNative(left, right);

    public static Floats Max(Floats left, Floats right) => Vector128.MaxNative(left, right);

    public static Floats SelectEqual(Floats left, Floats right, Floats whereEqual, Floats elsewhere) =>
        Vector128.ConditionalSelect(Vector128.Equals(left, right), whereEqual, elsewhere);

    public static Floats Round(Floats value) => Vector128.Round(value);

    public static Floats Scale(Floats value, Floats exponent) =>
        (value.AsInt32() + (Vector128.ConvertToInt32Native(exponent) << 23)).AsSingle();

    public static float MinLane(Floats value) =>
        MathF.Min(MathF.Min(value[0], value[1]), MathF.Min(value[2], value[3]));

    public static float MaxLane(Floats value) =>
        MathF.Max(MathF.Max(value[0], value[1]), MathF.Max(value[2], value[3]));

    public static void StoreSplit(Floats value, float* even, float* odd)
    {
        var split = Vector128.Shuffle(value, Vector128.Create(0, 2, 1, 3));
        split.GetLower().Store(even);
        split.GetUpper().Store(odd);
    }

    public static Floats LoadZip(float* even, float* odd) =>
        Vector128.Shuffle(Vector128.Create(Vector64.Load(even), Vector64.Load(odd)), Vector128.Create(0, 2, 1, 3));
}
