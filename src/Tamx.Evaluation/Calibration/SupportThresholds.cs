namespace Tamx.Evaluation;

/// <summary>Thresholds of verdicts, from words that are known to be right, wrong, or function words.</summary>
internal static class SupportThresholds
{
    /// <summary>The calibration with thresholds and their error rates.</summary>
    public static ModelCalibration AddTo(ModelCalibration calibration, IReadOnlyCollection<SupportSample> words)
    {
        SupportSample[] wrong = [.. words.Where(word => word.IsWrong)];
        SupportSample[] right = [.. words.Where(word => !word.IsWrong)];
        SupportSample[] nouns = [.. right.Where(word => word.Kind == WordKind.Noun)];
        SupportSample[] shown = [.. right.Where(word => word.Kind != WordKind.Function)];
        SupportSample[] said = [.. right.Where(word => word.Kind == WordKind.Function)];
        if (wrong.Length == 0 || nouns.Length == 0 || said.Length == 0)
        {
            return calibration;
        }

        var unsupported = Threshold(Oppositions(right), Oppositions(wrong));
        var seen = Threshold(Gains(said), Gains(shown));
        var presence = nouns[0]
            .Presence.Keys.Select(layer => (Layer: layer, Auroc: Auroc(At(wrong, layer), At(nouns, layer))))
            .MaxBy(pair => pair.Auroc);
        return calibration with
        {
            UnsupportedOpposition = unsupported.Value,
            UnsupportedError = unsupported.Error,
            UnsupportedAuroc = Auroc(Oppositions(nouns), Oppositions(wrong)),
            SeenGain = seen.Value,
            SeenError = seen.Error,
            PresenceLayer = presence.Layer,
            PresenceAuroc = presence.Auroc,
        };

        static double[] Oppositions(SupportSample[] words) => [.. words.Select(word => word.Opposition)];
        static double[] Gains(SupportSample[] words) => [.. words.Select(word => word.Gain)];
        static double[] At(SupportSample[] words, int layer) => [.. words.Select(word => word.Presence[layer])];
    }

    /// <summary>The probability that a value of the upper group is greater than one of the lower.</summary>
    public static double Auroc(IReadOnlyCollection<double> lower, IReadOnlyCollection<double> upper)
    {
        var wins = 0.0;
        foreach (var high in upper)
        {
            foreach (var low in lower)
            {
                wins +=
                    high > low ? 1
                    : high == low ? 0.5
                    : 0;
            }
        }

        return wins / ((double)lower.Count * upper.Count);
    }

    /// <summary>The value that parts two groups with the least error, both groups counting alike.</summary>
    /// <returns>The value, midway between two neighbours, and the groups' mean share on the wrong side.</returns>
    public static (double Value, double Error) Threshold(
        IReadOnlyCollection<double> lower,
        IReadOnlyCollection<double> upper
    )
    {
        double[] values = [.. lower.Concat(upper).Distinct().Order()];
        return Enumerable
            .Range(0, Math.Max(1, values.Length - 1))
            .Select(i => values.Length == 1 ? values[0] : (values[i] + values[i + 1]) / 2)
            .Select(value => (Value: value, Error: ErrorOf(value)))
            .MinBy(pair => pair.Error);

        double ErrorOf(double value) =>
            (
                ((double)lower.Count(low => low > value) / lower.Count)
                + ((double)upper.Count(high => high <= value) / upper.Count)
            ) / 2;
    }
}
