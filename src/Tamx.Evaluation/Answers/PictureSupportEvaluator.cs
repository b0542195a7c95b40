using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation;

/// <summary>
/// How far pictures support an answer, as metrics of Microsoft.Extensions.AI.Evaluation. No second model judges: it is
/// measured on the model that gave the answer, or on another one that reads it (<see cref="WordSupport"/>).
/// </summary>
/// <remarks>
/// <para>
/// An answer of <see cref="TamxChatClientExtensions.AsChatClient"/> comes with its explanation, and then the model reads
/// it once more. Of any other answer, also another model's, the text is read as if the model had written it: twice.
/// </para>
/// <para>
/// Verdicts need a calibration (<c>tamx calibrate</c>). Without one, <see cref="SeenWords"/> and
/// <see cref="UnsupportedWords"/> have no value, and an inconclusive rating.
/// </para>
/// <para>The model stays the caller's. It may answer elsewhere meanwhile.</para>
/// </remarks>
/// <param name="model">The model.</param>
/// <param name="calibration">
/// Gives the thresholds of verdicts; null takes the one that is kept beside the model, if there is one.
/// </param>
/// <param name="options">Which files a message may name, and how videos are read; null for the defaults.</param>
public sealed class PictureSupportEvaluator(
    VisionLanguageModel model,
    ModelCalibration? calibration = null,
    TamxChatClientOptions? options = null
) : IEvaluator
{
    /// <summary>The share of the answer's words, punctuation apart, that come from a picture: from 0 to 1.</summary>
    public const string SeenWords = "Seen Words";

    /// <summary>How many words a picture speaks against. One is enough for the answer to fail.</summary>
    public const string UnsupportedWords = "Unsupported Words";

    /// <summary>What the pictures add to ln p of the answer's words, on average.</summary>
    public const string PictureGain = "Picture Gain";

    private readonly VisionLanguageModel _model = model ?? throw new ArgumentNullException(nameof(model));
    private readonly ModelCalibration? _calibration = calibration ?? ModelCalibration.Find(model.Facts);
    private readonly TamxChatClientOptions _options = options ?? new TamxChatClientOptions();

    /// <inheritdoc/>
    public IReadOnlyCollection<string> EvaluationMetricNames { get; } = [SeenWords, UnsupportedWords, PictureGain];

    /// <summary>Measures an answer.</summary>
    /// <param name="messages">The conversation before the answer, with its pictures.</param>
    /// <param name="modelResponse">The answer.</param>
    /// <param name="chatConfiguration">Not used: no other model judges.</param>
    /// <param name="additionalContext">Not used.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidInputException">
    /// A message holds what the model cannot be shown, or the answer is empty.
    /// </exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(modelResponse);
        var reader = new ChatMessageReader(_options, cancellationToken);
        var question = await Task.Run(() => reader.Read([.. messages], null), cancellationToken).ConfigureAwait(false);
        var explanation =
            modelResponse.GetExplanation()
            ?? await ExplainAsync(question, modelResponse.Text, cancellationToken).ConfigureAwait(false);
        var supports = await WordSupport
            .MeasureAsync(_model, question, explanation, _calibration, cancellationToken: cancellationToken)
            .ConfigureAwait(false);

        WordSupport[] words = [.. supports.Where(word => IsSaid(word, explanation.Maps))];
        return new EvaluationResult(SeenMetric(words), UnsupportedMetric(words), GainMetric(words));
    }

    private Task<Explanation> ExplainAsync(
        IReadOnlyList<ChatTurn> question,
        string answer,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(answer))
        {
            throw new InvalidInputException("the answer to evaluate is empty");
        }

        var explain = _options.Explain with { Tam = new TamOptions(), Layers = [_calibration?.PresenceLayer ?? -1] };
        return Explainer.ExplainAsync(
            _model,
            [.. question, new ChatTurn(TurnRole.Assistant, answer)],
            explain,
            cancellationToken: cancellationToken
        );
    }

    /// <summary>Whether it is a word of the answer: no punctuation, no end token, nothing only thought.</summary>
    private bool IsSaid(WordSupport word, ActivationMaps maps)
    {
        var first = maps.Words[word.WordIndex].Word.TokenIndices[0];
        return first >= maps.Layout.ThoughtCount
            && !_model.Vocabulary.EndsAnswer(maps.Answer[first].Token.TokenId)
            && word.Text.Any(char.IsLetterOrDigit);
    }

    private static NumericMetric SeenMetric(WordSupport[] words)
    {
        if (Unjudged(SeenWords, words) is { } unjudged)
        {
            return unjudged;
        }

        var seen = words.Count(word => word.Verdict == WordVerdict.Seen);
        return new NumericMetric(
            SeenWords,
            (double)seen / words.Length,
            Invariant($"{seen} of {words.Length} words come from the picture; the rest is language, or unsupported")
        )
        {
            // An answer may rightly be about its question alone; so no share of words is a failure.
            Interpretation = new EvaluationMetricInterpretation(
                seen > 0 ? EvaluationRating.Good : EvaluationRating.Average,
                failed: false,
                seen > 0 ? "the picture is behind the answer" : "nothing of the answer depends on a picture"
            ),
        };
    }

    private NumericMetric UnsupportedMetric(WordSupport[] words)
    {
        if (Unjudged(UnsupportedWords, words) is { } unjudged)
        {
            return unjudged;
        }

        WordSupport[] unsupported = [.. words.Where(word => word.Verdict == WordVerdict.Unsupported)];
        var names = string.Join(", ", unsupported.Select(word => word.Text));
        var metric = new NumericMetric(
            UnsupportedWords,
            unsupported.Length,
            unsupported.Length == 0
                ? "the picture speaks against none of the words"
                : $"the picture speaks against: {names}"
        )
        {
            Interpretation = new EvaluationMetricInterpretation(
                unsupported.Length == 0 ? EvaluationRating.Good : EvaluationRating.Unacceptable,
                failed: unsupported.Length > 0,
                Invariant($"a word is unsupported from an opposition of {_calibration!.UnsupportedOpposition:0.00}")
            ),
        };
        metric.AddDiagnostics(
            unsupported.Select(word =>
                EvaluationDiagnostic.Warning(
                    Invariant(
                        $"\"{word.Text}\": opposition {word.Opposition:0.00}, gain {word.PictureGain:0.00}, presence {word.Presence:0.00}"
                    )
                )
            )
        );
        return metric;
    }

    private static NumericMetric GainMetric(WordSupport[] words)
    {
        var metric = new NumericMetric(
            PictureGain,
            words.Length == 0 ? null : words.Average(word => word.PictureGain),
            "mean of ln p with the pictures less ln p with neutral ones"
        );
        foreach (var word in words)
        {
            metric.AddOrUpdateMetadata(
                Invariant($"{word.WordIndex}:{word.Text}"),
                Invariant($"gain {word.PictureGain:0.00}, opposition {word.Opposition:0.00}, {Name(word.Verdict)}")
            );
        }

        return metric;
    }

    /// <summary>A metric without value, where there are no verdicts to count.</summary>
    private static NumericMetric? Unjudged(string name, WordSupport[] words)
    {
        var why =
            words.Length == 0 ? "the answer has no words"
            : words.All(word => word.Verdict is null)
                ? "the model is not calibrated for verdicts (tamx calibrate); the numbers are in the metric Picture Gain"
            : null;
        if (why is null)
        {
            return null;
        }

        var metric = new NumericMetric(name, null, why)
        {
            Interpretation = new EvaluationMetricInterpretation(EvaluationRating.Inconclusive, failed: false, why),
        };
        metric.AddDiagnostics(EvaluationDiagnostic.Informational(why));
        return metric;
    }

    private static string Name(WordVerdict? verdict) => verdict?.ToString().ToLowerInvariant() ?? "no verdict";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
