namespace Tamx.Evaluation;

/// <summary>One setting of the method's main options.</summary>
/// <param name="Profile">The preset that the rest comes from.</param>
/// <param name="EciStrength">Share of the interference that ECI subtracts, 0 to 1; 0 is without ECI.</param>
/// <param name="Kernel">Side of the rank filter's window; 0 is without the filter.</param>
public sealed record MapSetting(TamProfile Profile, float EciStrength, int Kernel)
{
    /// <summary>Every profile with ECI at 0, 0.5 and 1, and the filter off, at 3 and at 5.</summary>
    public static IReadOnlyList<MapSetting> Sweep { get; } =
    [
        .. from profile in Enum.GetValues<TamProfile>()
           from strength in (float[])[0, 0.5f, 1]
           from kernel in (int[])[0, 3, 5]
           select new MapSetting(profile, strength, kernel),
    ];

    /// <summary>The setting as options of the method.</summary>
    public TamOptions ToOptions()
    {
        var preset = TamOptions.ForProfile(Profile);
        return preset with
        {
            ApplyEci = EciStrength > 0,
            EciStrength = EciStrength,
            ApplyFilter = Kernel > 0,
            KernelSize = Kernel > 0 ? Kernel : preset.KernelSize,
        };
    }
}

/// <summary>How well the nouns' maps of one sample, or of all, show what they stand for under one setting.</summary>
/// <param name="Setting">The setting.</param>
/// <param name="Nouns">Number of scored nouns.</param>
/// <param name="ObjIou">Mean of <see cref="WordRow.ObjIou"/>; null without nouns, like the next two.</param>
/// <param name="Pointing">Mean of <see cref="WordRow.Pointing"/>.</param>
/// <param name="Mass">Mean of <see cref="WordRow.Mass"/>.</param>
/// <param name="FunctionIou">Mean Func-IoU of the paper's protocol: how empty the maps of function words are; null without function words.</param>
/// <param name="FunctionWords">Number of function words behind it.</param>
public sealed record SettingScore(
    MapSetting Setting, int Nouns, double? ObjIou, double? Pointing, double? Mass, double? FunctionIou, int FunctionWords)
{
    /// <summary>The score of one sample.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="rows">The sample's scored words under it.</param>
    /// <param name="paper">The paper's figures under it.</param>
    public static SettingScore Of(MapSetting setting, IEnumerable<WordRow> rows, PaperFigures paper)
    {
        ArgumentNullException.ThrowIfNull(paper);
        WordRow[] nouns = [.. rows.Where(row => row.Words == WordKind.Noun)];
        return new SettingScore(
            setting,
            nouns.Length,
            Mean(row => row.ObjIou),
            Mean(row => row.Pointing),
            Mean(row => row.Mass),
            paper.FuncIou.Count > 0 ? paper.FuncIou.Average() : null,
            paper.FuncIou.Count);

        double? Mean(Func<WordRow, double> value) => nouns.Length > 0 ? nouns.Average(value) : null;
    }

    /// <summary>The score of several samples under the same setting; every word counts once.</summary>
    /// <param name="scores">The samples' scores, at least one.</param>
    public static SettingScore Join(IReadOnlyCollection<SettingScore> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        return new SettingScore(
            scores.First().Setting,
            scores.Sum(score => score.Nouns),
            Mean(score => score.ObjIou, score => score.Nouns),
            Mean(score => score.Pointing, score => score.Nouns),
            Mean(score => score.Mass, score => score.Nouns),
            Mean(score => score.FunctionIou, score => score.FunctionWords),
            scores.Sum(score => score.FunctionWords));

        double? Mean(Func<SettingScore, double?> value, Func<SettingScore, int> count) =>
            scores.Sum(count) is > 0 and var total ? scores.Sum(score => (value(score) ?? 0) * count(score)) / total : null;
    }
}
