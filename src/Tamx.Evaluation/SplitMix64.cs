namespace Tamx.Evaluation;

/// <summary>
/// Random bits that are the same on every machine and in every version of .NET: SplitMix64 (Steele, Lea and Flood,
/// 2014).
/// </summary>
internal static class SplitMix64
{
    /// <summary>The next 64 bits.</summary>
    /// <param name="state">The generator's state, at first its seed. Any value will do.</param>
    public static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
