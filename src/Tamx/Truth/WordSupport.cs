using System.Text.Json.Serialization;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>Where a word comes from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WordVerdict>))]
public enum WordVerdict
{
    /// <summary>From the picture: it makes the word likelier.</summary>
    [JsonStringEnumMemberName("seen")]
    Seen,

    /// <summary>From the prompt or from language alone: the picture hardly matters.</summary>
    [JsonStringEnumMemberName("said")]
    Said,

    /// <summary>The picture speaks against it.</summary>
    [JsonStringEnumMemberName("unsupported")]
    Unsupported,
}

/// <summary>How far the picture supports a word of an answer, in numbers, and what follows from them.</summary>
public sealed record WordSupport
{
    /// <summary>The neutral picture's best tokens among which the candidates are looked up.</summary>
    private const int NeutralCandidates = 64;

    /// <summary>The word's index in <see cref="ActivationMaps.Words"/>.</summary>
    public required int WordIndex { get; init; }

    /// <summary>The word.</summary>
    public required string Text { get; init; }

    /// <summary>ln p of the word's tokens with the picture.</summary>
    public required double LogProbability { get; init; }

    /// <summary>ln p of the word's tokens with a neutral picture in its place.</summary>
    public required double NeutralLogProbability { get; init; }

    /// <summary>What the picture adds to ln p. 0 where no picture stands before the answer.</summary>
    public double PictureGain => LogProbability - NeutralLogProbability;

    /// <summary>
    /// How much more the picture adds to ln p of what the model would write than to that of the word: the mean gain of
    /// the step's candidates, by their probabilities, less the word's. About 0 where the model would write the word, or
    /// where the picture matters to neither; large where it speaks for another word. Null without candidates.
    /// </summary>
    public double? Opposition { get; init; }

    /// <summary>
    /// The largest logit of the word's first token over all cells, at <see cref="PresenceLayer"/>; null without a
    /// picture.
    /// </summary>
    public double? Presence { get; init; }

    /// <summary>The layer of <see cref="Presence"/>, from 0; -1 for the last hidden states.</summary>
    public int PresenceLayer { get; init; } = -1;

    /// <summary>
    /// 1 less the map's entropy over that of a uniform one: from 0 (everywhere the same) to 1 (all in one cell). Null
    /// without a map, or where it is empty.
    /// </summary>
    public double? Concentration { get; init; }

    /// <summary>What follows from the gain; null where the model is not calibrated.</summary>
    public WordVerdict? Verdict { get; init; }

    /// <summary>Measures the support of each word. The model reads the answer once more.</summary>
    /// <param name="model">The model that gave the answer.</param>
    /// <param name="messages">The conversation that was explained.</param>
    /// <param name="explanation">Its explanation.</param>
    /// <param name="calibration">Gives the thresholds of verdicts and the layer of presence; null for numbers alone.</param>
    /// <param name="neutral">What stands in for the pictures, and for each frame of videos.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>One entry per word, in order.</returns>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<IReadOnlyList<WordSupport>> MeasureAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        Explanation explanation,
        ModelCalibration? calibration = null,
        NeutralPicture neutral = NeutralPicture.MeanColor,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(explanation);
        var maps = explanation.Maps;
        int[] answer = [.. maps.Answer.Select(token => token.Token.TokenId)];
        var before = GivenAnswer.Before(messages);
        var hasPicture = before.Any(message => message.Parts.Any(part => part is ImagePart or VideoPart));
        var candidateCount = Math.Min(NeutralCandidates, model.Facts.VocabularySize);
        double[] with = [.. maps.Answer.Select(token => Math.Log(Math.Max(token.Token.Probability, 1e-30f)))];
        var read = hasPicture
            ? await GivenAnswer
                .ReadTokensAsync(
                    model,
                    PictureEdits.Neutral(before, neutral),
                    answer,
                    candidateCount,
                    cancellationToken
                )
                .ConfigureAwait(false)
            : [];
        var without = hasPicture ? [.. read.Select(token => (double)token.LogProbability)] : with;
        var layer = calibration?.PresenceLayer ?? -1;
        layer = explanation.Trace.Layers.Any(states => states.Layer == layer) ? layer : -1;
        return
        [
            .. maps
                .Words.Index()
                .Select(word => new WordSupport
                {
                    WordIndex = word.Index,
                    Text = word.Item.Word.Text,
                    LogProbability = word.Item.Word.TokenIndices.Sum(index => with[index]),
                    NeutralLogProbability = word.Item.Word.TokenIndices.Sum(index => without[index]),
                    Opposition = hasPicture ? OppositionOf(word.Item.Word, maps, read, with, without) : 0,
                    Presence = PresenceOf(explanation.Trace, maps, word.Index, layer),
                    PresenceLayer = layer,
                    Concentration = ConcentrationOf(word.Item),
                })
                .Select(support => support with { Verdict = calibration?.Judge(support) }),
        ];
    }

    /// <summary>
    /// How strongly some cell before a word shows it: the largest product of the output row of the word's first token
    /// with a cell's hidden state.
    /// </summary>
    /// <param name="trace">The run.</param>
    /// <param name="maps">Its maps.</param>
    /// <param name="wordIndex">The word's index in <see cref="ActivationMaps.Words"/>.</param>
    /// <param name="layer">The layer of the hidden states, from 0; -1 for the last. The trace must hold it.</param>
    /// <returns>The logit; null if no picture stands before the word.</returns>
    public static double? PresenceOf(Trace trace, ActivationMaps maps, int wordIndex, int layer)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(maps);
        var rows = new TraceRows(trace, layer);
        var token = maps.Answer[maps.Words[wordIndex].Word.TokenIndices[0]];
        double? best = null;
        foreach (var block in maps.Layout.VisionBlocks.Where(block => block.EndPosition < token.Position))
        {
            for (var cell = 0; cell < block.CellCount; cell++)
            {
                var state = rows.StatesOf(block.FirstCellPosition + cell, 1);
                var logit = HiddenRows.Dot(rows.RowOf(token.Token.TokenId), state);
                best = Math.Max(best ?? logit, logit);
            }
        }

        GC.KeepAlive(rows);
        return best;
    }

    private static double? OppositionOf(
        AnswerWord word,
        ActivationMaps maps,
        List<GeneratedToken> neutral,
        double[] with,
        double[] without
    )
    {
        double sum = 0;
        foreach (var index in word.TokenIndices)
        {
            var candidates = maps.Answer[index].Candidates;
            var mass = candidates.Sum(candidate => (double)candidate.Probability);
            if (!(mass > 0))
            {
                return null;
            }

            // A candidate that is none of the neutral picture's best is less likely than these.
            var known = neutral[index]
                .Candidates.ToDictionary(candidate => candidate.Id, candidate => candidate.Probability);
            var least = known.Values.DefaultIfEmpty(1).Min();
            var gain = candidates.Sum(candidate =>
                candidate.Probability
                * (Log(candidate.Probability) - Log(known.GetValueOrDefault(candidate.TokenId, least)))
            );
            sum += (gain / mass) - (with[index] - without[index]);
        }

        return sum;

        static double Log(float probability) => Math.Log(Math.Max(probability, 1e-30f));
    }

    private static double? ConcentrationOf(ExplainedWord word)
    {
        float[] values = [.. word.VisionMaps.OfType<ActivationMap>().SelectMany(map => map.Values.ToArray())];
        var sum = values.Sum(value => (double)value);
        if (values.Length < 2 || sum <= 0)
        {
            return null;
        }

        var entropy = values.Where(value => value > 0).Sum(value => -(value / sum) * Math.Log(value / sum));
        return 1 - (entropy / Math.Log(values.Length));
    }
}
