namespace Tamx.GpuCheck;

/// <summary>
/// The number of rounds of a peak measurement's loop. It runs long enough that the launch does not count, and short
/// enough to repeat.
/// </summary>
internal static class Rounds
{
    private const double WantedSeconds = 0.02;

    /// <summary>The number for the next measurement, from the time of the last one.</summary>
    public static int Next(int rounds, double seconds) =>
        (int)Math.Clamp(rounds * WantedSeconds / Math.Max(seconds, 1e-6), 16, 1 << 20);
}
