using System.Text;

namespace Tamx.Kernels.Devices;

/// <summary>What a driver's compiler says of a kernel that it does not take.</summary>
internal static class CompilerLog
{
    private const int MostWords = 60;

    /// <summary>Its first words, on one line and in brackets, to stand at the end of an error; nothing where it says nothing.</summary>
    /// <param name="log">UTF-8, up to its first zero.</param>
    public static string Start(ReadOnlySpan<byte> log)
    {
        var end = log.IndexOf((byte)0);
        var words = Encoding.UTF8.GetString(end < 0 ? log : log[..end]).Split(['\r', '\n', '\t', ' '], StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? string.Empty : $" ({string.Join(' ', words.Take(MostWords))})";
    }
}
