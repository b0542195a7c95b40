using System.Globalization;

namespace Tamx.Llama.Chat;

/// <summary>The time that stands before a temporal patch of a video.</summary>
internal static class TimeText
{
    /// <summary><c>&lt;1.2 seconds&gt;</c>: as Qwen3-VL's processor writes it, with Python's <c>{:.1f}</c>.</summary>
    /// <remarks>
    /// Python rounds the exact value, and to even where it lies in the middle: 0.25 is "0.2", 0.75 is "0.8", 0.35
    /// (which is a little less) is "0.3". .NET's formats round the middle away from zero.
    /// </remarks>
    /// <param name="seconds">The time, not negative.</param>
    public static string Of(double seconds)
    {
        var product = seconds * 10;
        var error = Math.FusedMultiplyAdd(seconds, 10, -product);
        var tenths = Math.Floor(product);
        var overMiddle = product - tenths - 0.5;
        if (overMiddle > 0 || (overMiddle == 0 && (error > 0 || (error == 0 && tenths % 2 != 0))))
        {
            tenths++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"<{tenths / 10:F1} seconds>");
    }
}
