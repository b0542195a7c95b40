namespace Tamx.GpuCheck;

/// <summary>
/// How often the loop of a peak measurement runs: long enough that starting it does not count, short enough to repeat.
/// </summary>
internal static class Rounds
{
    private const double Wanted = 0.02;

    /// <summary>The number for the next time, after one that took so long.</summary>
    public static int Next(int rounds, double seconds) =>
        (int)Math.Clamp(rounds * Wanted / Math.Max(seconds, 1e-6), 16, 1 << 20);
}
