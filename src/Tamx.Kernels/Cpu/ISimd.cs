namespace Tamx.Kernels.Cpu;

/// <summary>The vector operations that the kernels use, so that kernels are written once for all widths.</summary>
/// <typeparam name="TVector">The vector type.</typeparam>
/// <remarks>
/// Minimum and maximum are the machine's own. Which zero or NaN they give is not defined, and no kernel depends on it.
/// </remarks>
internal unsafe interface ISimd<TVector>
    where TVector : struct
{
    /// <summary>Lanes of a vector: 4, 8 or 16.</summary>
    static abstract int Count { get; }

    static abstract TVector Create(float value);

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* destination);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    /// <summary>left * right + addend, fused where the machine can.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract TVector Min(TVector left, TVector right);

    static abstract TVector Max(TVector left, TVector right);

    /// <summary>
    /// <paramref name="whereEqual"/> in lanes where <paramref name="left"/> equals <paramref name="right"/>, and
    /// <paramref name="elsewhere"/> in the others.
    /// </summary>
    static abstract TVector SelectEqual(TVector left, TVector right, TVector whereEqual, TVector elsewhere);

    /// <summary>The nearest whole number.</summary>
    static abstract TVector Round(TVector value);

    /// <summary>value * 2^exponent, for a whole exponent whose result is a normal number.</summary>
    static abstract TVector Scale(TVector value, TVector exponent);

    /// <summary>Smallest lane.</summary>
    static abstract float MinLane(TVector value);

    /// <summary>Largest lane.</summary>
    static abstract float MaxLane(TVector value);

    /// <summary>Stores the lanes of even index and those of odd index apart, half a vector each.</summary>
    static abstract void StoreSplit(TVector value, float* even, float* odd);

    /// <summary>The opposite of <see cref="StoreSplit"/>.</summary>
    static abstract TVector LoadZip(float* even, float* odd);
}
