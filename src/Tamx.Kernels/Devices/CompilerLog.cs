using System.Text;

namespace Tamx.Kernels.Devices;

/// <summary>The log of a driver's compiler, for error messages.</summary>
internal static class CompilerLog
{
    private const int MostWords = 60;

    /// <summary>The first words of a log, on one line, in brackets after a space. An empty log gives nothing.</summary>
    /// <param name="log">UTF-8, up to its first zero.</param>
    public static string Excerpt(ReadOnlySpan<byte> log)
    {
        var end = log.IndexOf((byte)0);
        var words = Encoding
            .UTF8.GetString(end < 0 ? log : log[..end])
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? string.Empty : $" ({string.Join(' ', words.Take(MostWords))})";
    }
}
