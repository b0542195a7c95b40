using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation;

/// <summary>A word of an answer that was given to a model, with its numbers and with what it is.</summary>
/// <param name="Kind">What the word is.</param>
/// <param name="IsWrong">Whether it stands in a right word's place and names what is not in the picture.</param>
/// <param name="Gain">What the picture adds to its ln p.</param>
/// <param name="Opposition">How much more it adds to that of other words.</param>
/// <param name="Presence">Its presence by layer.</param>
internal sealed record SupportSample(
    WordKind Kind,
    bool IsWrong,
    double Gain,
    double Opposition,
    IReadOnlyDictionary<int, double> Presence
)
{
    /// <summary>
    /// Gives the model each sample's right answer, and the same with one noun replaced by that of something absent.
    /// Samples without a right answer give nothing.
    /// </summary>
    public static async Task<List<SupportSample>> CollectAsync(
        VisionLanguageModel model,
        IReadOnlyCollection<EvaluationSample> samples,
        EvaluationOptions options,
        ITamEngine engine,
        int done,
        IProgress<EvaluationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        string[] nouns =
        [
            .. samples
                .SelectMany(sample => sample.Words ?? [])
                .Where(word => word.Kind == WordKind.Noun)
                .Select(word => word.Text)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
        int[] layers = [.. options.Sources.Select(source => source.Layer).Where(layer => layer >= 0).Distinct()];
        var explain = new ExplainOptions
        {
            Completion = new CompletionOptions { CandidateCount = 3 },
            Tam = options.Tam with { Method = MapMethod.Tam, Layer = -1 },
            Layers = layers,
        };
        var found = new List<SupportSample>();
        foreach (var (index, sample) in samples.Index())
        {
            if (sample is { ExpectedAnswer: { } answer, Words: { } words })
            {
                await AddAsync(sample, answer, wrongNoun: null).ConfigureAwait(false);
                var named = words.Where(word => word.Kind == WordKind.Noun).Select(word => word.Text).ToHashSet();
                string[] absent = [.. nouns.Where(noun => !named.Contains(noun))];
                if (named.Count > 0 && absent.Length > 0)
                {
                    var right = named.Order(StringComparer.Ordinal).ElementAt(index % named.Count);
                    var wrong = absent[index % absent.Length];
                    var at = answer.IndexOf(right, StringComparison.Ordinal);
                    await AddAsync(sample, answer.Remove(at, right.Length).Insert(at, wrong), wrong)
                        .ConfigureAwait(false);
                }
            }

            progress?.Report(new EvaluationProgress(done + index + 1, 2 * samples.Count));
        }

        return found;

        async Task AddAsync(EvaluationSample sample, string answer, string? wrongNoun)
        {
            ChatTurn[] messages =
            [
                new(TurnRole.User, [sample.Picture, new TextPart(sample.Prompt)]),
                new(TurnRole.Assistant, answer),
            ];
            var explanation = await Explainer
                .ExplainAsync(model, messages, explain, engine, null, cancellationToken)
                .ConfigureAwait(false);
            var supports = await WordSupport
                .MeasureAsync(model, messages, explanation, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            var kinds = sample
                .Words!.GroupBy(word => word.Text)
                .ToDictionary(group => group.Key, group => group.First().Kind);
            foreach (var support in supports)
            {
                // Of an answer with a wrong noun that noun alone counts: it bears on what follows.
                var isWrong = support.Text == wrongNoun;
                if (wrongNoun is null ? kinds.ContainsKey(support.Text) : isWrong)
                {
                    var kind = isWrong ? WordKind.Noun : kinds[support.Text];
                    var presence = layers
                        .Append(-1)
                        .ToDictionary(
                            layer => layer,
                            layer =>
                                WordSupport.PresenceOf(explanation.Trace, explanation.Maps, support.WordIndex, layer)
                                ?? 0
                        );
                    found.Add(new SupportSample(kind, isWrong, support.PictureGain, support.Opposition ?? 0, presence));
                }
            }
        }
    }
}
