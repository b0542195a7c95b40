namespace Tamx.Benchmarks;

/// <summary>The machine at hand.</summary>
internal static class Machine
{
    private const string ProcessorFile = "/proc/cpuinfo";

    /// <summary>The processor's name, or the system's where it cannot be had.</summary>
    public static string Name
    {
        get
        {
            string? line = File.Exists(ProcessorFile)
                ? File.ReadLines(ProcessorFile)
                    .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                : null;
            return line is null
                ? Environment.OSVersion.ToString()
                : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
    }
}
