using System.Text.Json;

namespace Tamx.Report;

/// <summary>The page's JSON about how far to trust it: calibration, the words' support, checks of their maps.</summary>
internal static class SupportJson
{
    /// <summary>The JSON. The default encoder escapes whatever could end a script element.</summary>
    public static string Of(ActivationMaps maps, HtmlReportOptions options) =>
        JsonSerializer.Serialize(
            new
            {
                options.Calibration,
                Words = options.Supports.Select(word => new
                {
                    word.Text,
                    Tokens = maps.Words[word.WordIndex].Word.TokenIndices,
                    word.Verdict,
                    Gain = word.PictureGain,
                    word.Presence,
                    word.Concentration,
                }),
                Checks = options.Checks.Select(check => new
                {
                    check.Sentence,
                    check.Deletion,
                    check.Insertion,
                    check.RandomDeletion,
                    check.RandomInsertion,
                }),
            },
            JsonSerializerOptions.Web
        );
}
