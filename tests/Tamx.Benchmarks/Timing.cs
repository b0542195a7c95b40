using System.Diagnostics;

namespace Tamx.Benchmarks;

/// <summary>
/// Times of things that are compared: taken in turns, so that whatever else the machine does falls on all alike, and
/// the best of each counts.
/// </summary>
internal static class Timing
{
    /// <summary>Best seconds of each action.</summary>
    /// <param name="seconds">
    /// How long to go on, at least; every action runs three times in any case, the first not counted.
    /// </param>
    /// <param name="actions">What to run; the first time is for warming up.</param>
    public static double[] Best(double seconds, params Action[] actions)
    {
        var best = new double[actions.Length];
        Array.Fill(best, double.PositiveInfinity);
        foreach (var action in actions)
        {
            action();
        }

        var start = Stopwatch.GetTimestamp();
        for (var round = 0; round < 2 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; round++)
        {
            for (var i = 0; i < actions.Length; i++)
            {
                var from = Stopwatch.GetTimestamp();
                actions[i]();
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(from).TotalSeconds);
            }
        }

        return best;
    }
}
