namespace Tamx.Kernels;

/// <summary>
/// What the rank filter makes of a window of equal positive values. Its deviation is 0, so its weights are undefined.
/// </summary>
public enum ConstantWindow
{
    /// <summary>0, as TAMX does.</summary>
    Zero,

    /// <summary>The value itself: the limit of ever smaller deviations.</summary>
    Value,
}
