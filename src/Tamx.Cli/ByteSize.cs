namespace Tamx.Cli;

/// <summary>Amounts of memory as people read them.</summary>
internal static class ByteSize
{
    /// <summary>The amount in kB, MB or GB.</summary>
    public static string Describe(double bytes) =>
        bytes switch
        {
            >= 1e9 => FormattableString.Invariant($"{bytes / 1e9:0.##} GB"),
            >= 1e6 => FormattableString.Invariant($"{bytes / 1e6:0.#} MB"),
            _ => FormattableString.Invariant($"{bytes / 1e3:0.#} kB"),
        };
}
