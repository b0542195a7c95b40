using System.Globalization;

namespace Tamx.Benchmarks;

/// <summary>Memory of this process as Linux counts it, in bytes.</summary>
internal static class ResidentMemory
{
    /// <summary>What is resident now.</summary>
    public static long Now => Read("VmRSS:");

    /// <summary>The most that was, since the process began or <see cref="ResetPeak"/> was called.</summary>
    public static long Peak => Read("VmHWM:");

    /// <summary>Lets <see cref="Peak"/> begin anew.</summary>
    public static void ResetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static long Read(string field)
    {
        string line = File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith(field, StringComparison.Ordinal));
        return 1024
            * long.Parse(
                line[field.Length..].Replace("kB", "", StringComparison.Ordinal),
                CultureInfo.InvariantCulture
            );
    }
}
