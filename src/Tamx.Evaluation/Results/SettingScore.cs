namespace Tamx.Evaluation;

/// <summary>How well the nouns' maps of one sample, or of all, show what they stand for under one setting.</summary>
/// <param name="Setting">The setting.</param>
/// <param name="Nouns">Number of scored nouns.</param>
/// <param name="ObjIou">Mean of <see cref="WordRow.ObjIou"/>; null without nouns, like the next two.</param>
/// <param name="Pointing">Mean of <see cref="WordRow.Pointing"/>.</param>
/// <param name="Mass">Mean of <see cref="WordRow.Mass"/>.</param>
/// <param name="FunctionIou">
/// Mean Func-IoU of the paper's protocol: how empty the maps of function words are; null without function words.
/// </param>
/// <param name="FunctionWords">Number of function words behind it.</param>
public sealed record SettingScore(
    MapSetting Setting,
    int Nouns,
    double? ObjIou,
    double? Pointing,
    double? Mass,
    double? FunctionIou,
    int FunctionWords
)
{
    /// <summary>The score of one sample.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="rows">The sample's scored words under it.</param>
    /// <param name="paper">The paper's figures under it.</param>
    internal static SettingScore Of(MapSetting setting, IEnumerable<WordRow> rows, PaperFigures paper)
    {
        WordRow[] nouns = [.. rows.Where(row => row.Words == WordKind.Noun)];
        return new SettingScore(
            setting,
            nouns.Length,
            Mean(row => row.ObjIou),
            Mean(row => row.Pointing),
            Mean(row => row.Mass),
            paper.FuncIou.Count > 0 ? paper.FuncIou.Average() : null,
            paper.FuncIou.Count
        );

        double? Mean(Func<WordRow, double> value) => nouns.Length > 0 ? nouns.Average(value) : null;
    }

    /// <summary>The score of several samples under the same setting. Every word counts once.</summary>
    /// <param name="scores">The samples' scores, at least one.</param>
    internal static SettingScore Join(IReadOnlyCollection<SettingScore> scores)
    {
        return new SettingScore(
            scores.First().Setting,
            scores.Sum(score => score.Nouns),
            Mean(score => score.ObjIou, score => score.Nouns),
            Mean(score => score.Pointing, score => score.Nouns),
            Mean(score => score.Mass, score => score.Nouns),
            Mean(score => score.FunctionIou, score => score.FunctionWords),
            scores.Sum(score => score.FunctionWords)
        );

        double? Mean(Func<SettingScore, double?> value, Func<SettingScore, int> count) =>
            scores.Sum(count) is > 0 and var total
                ? scores.Sum(score => (value(score) ?? 0) * count(score)) / total
                : null;
    }
}
