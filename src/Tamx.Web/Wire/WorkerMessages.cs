using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Web.Wire;

/// <summary>
/// Which model to load, which engine to compute maps with, and from which level on its log is wanted.
/// </summary>
internal sealed record LoadCommand(ModelOptions Model, EngineOptions Engine, LogLevel Log);

/// <summary>A line of the worker's log.</summary>
internal sealed record LogEvent(LogLevel Level, string Text);

/// <summary>A request, checked as far as that can be done without decoding pictures.</summary>
/// <param name="Messages">
/// The conversation; the last message may be the assistant's, an answer to explain. Its sources name files by index.
/// </param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="UsesCalibration">Whether the model's calibration, if there is one, chooses the method.</param>
/// <param name="WithMaps">Whether to explain, and to write the run's files.</param>
/// <param name="WithVerdicts">Whether to measure how far the pictures support each word.</param>
/// <param name="FileCount">Files that follow.</param>
/// <param name="MaxFrames">Frames of all videos together.</param>
/// <param name="Pictures">What each picture and frame may be.</param>
/// <param name="Folder">The folder of the run, where its files are written.</param>
internal sealed record WorkerRequest(
    IReadOnlyList<ParsedMessage> Messages,
    ExplainOptions Options,
    bool UsesCalibration,
    bool WithMaps,
    bool WithVerdicts,
    int FileCount,
    int MaxFrames,
    ImageLimits Pictures,
    string Folder
);

/// <summary>
/// How far a request has come: <c>load</c>, <c>image</c>, <c>prefill</c>, <c>generate</c>, <c>verdict</c> or
/// <c>report</c>.
/// </summary>
internal sealed record ProgressEvent(string Phase, double Done, double Total)
{
    /// <summary>The event of a stage of the library's, which calls pictures <c>encode</c>.</summary>
    public static ProgressEvent Of(string stage, double done, double total) =>
        new(stage == "encode" ? "image" : stage, done, total);
}

/// <summary>What a server may tell of its model; its calibration in a line, null where there is none.</summary>
internal sealed record ModelDescription(
    string Name,
    string? Description,
    string Architecture,
    string? Quantization,
    int ContextLength,
    bool SeesPictures,
    bool ReadsVideoFiles,
    string? Calibration
);

/// <summary>A token of the answer as it is written.</summary>
/// <param name="Text">What it adds to the answer's text.</param>
/// <param name="Thought">What it adds to the thought's text.</param>
/// <param name="IsThought">Whether it is part of the thought, the tags included.</param>
/// <param name="EndsAnswer">Whether it is the token that ends the answer.</param>
/// <param name="Token">The token itself.</param>
/// <param name="Likeliest">The step's likeliest tokens, best first; as many as were asked for.</param>
internal sealed record WrittenToken(
    string Text,
    string Thought,
    bool IsThought,
    bool EndsAnswer,
    TokenChance Token,
    IReadOnlyList<TokenChance> Likeliest
)
{
    public static WrittenToken Of(GeneratedToken token, AnswerPiece piece, Func<int, byte[]> bytesOf)
    {
        var logSum = token.Logit - token.LogProbability;
        return new WrittenToken(
            piece.Answer,
            piece.Thought,
            piece.IsThought,
            token.EndsAnswer,
            new TokenChance(bytesOf(token.Id), token.LogProbability),
            [.. token.Candidates.Select(other => new TokenChance(bytesOf(other.Id), other.Logit - logSum))]
        );
    }
}

/// <summary>How likely a token was at its step.</summary>
/// <param name="Bytes">The token's bytes: UTF-8, possibly a part of a character.</param>
/// <param name="LogProbability">ln of its probability under the model's softmax.</param>
internal sealed record TokenChance(byte[] Bytes, double LogProbability);

/// <summary>Where the words of an answer come from.</summary>
/// <param name="Calibration">
/// What the model's calibration says; null where there is none, and then no word has a verdict.
/// </param>
/// <param name="Words">The words of thought and answer, in order.</param>
internal sealed record VerdictEvent(string? Calibration, IReadOnlyList<WordEvidence> Words);

/// <summary>How far the pictures support a word; <see cref="WordSupport"/> says what the numbers are.</summary>
/// <param name="Text">The word.</param>
/// <param name="Tokens">Its tokens, counted from the answer's first.</param>
/// <param name="Verdict">What follows from the numbers.</param>
/// <param name="PictureGain">What the pictures add to ln p.</param>
/// <param name="Opposition">How much more they add to that of what the model would write.</param>
/// <param name="Presence">How strongly some cell shows it.</param>
/// <param name="Concentration">How much of its map lies in few cells.</param>
internal sealed record WordEvidence(
    string Text,
    IReadOnlyList<int> Tokens,
    WordVerdict? Verdict,
    double PictureGain,
    double? Opposition,
    double? Presence,
    double? Concentration
)
{
    public static WordEvidence Of(WordSupport support, ActivationMaps maps) =>
        new(
            support.Text,
            maps.Words[support.WordIndex].Word.TokenIndices,
            support.Verdict,
            support.PictureGain,
            support.Opposition,
            support.Presence,
            support.Concentration
        );
}

/// <summary>A whole answer; its files are written if it was explained.</summary>
/// <param name="Answer">The answer's text, without its thought.</param>
/// <param name="Thought">The thought; null where there is none.</param>
/// <param name="StopReason">Why it ended.</param>
/// <param name="WasStopped">Whether somebody asked to stop it.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="AnswerTokens">Tokens of thought and answer.</param>
/// <param name="Seconds">Seconds per phase.</param>
/// <param name="Calibration">
/// What the model's calibration says; null where there is none, or there are no maps.
/// </param>
/// <param name="RegionChanges">
/// Per token the change of ln p by the request's region; null where there is none, or there are no maps.
/// </param>
internal sealed record DoneEvent(
    string Answer,
    string? Thought,
    StopReason StopReason,
    bool WasStopped,
    int PromptTokens,
    int AnswerTokens,
    IReadOnlyDictionary<string, double> Seconds,
    string? Calibration = null,
    IReadOnlyList<float>? RegionChanges = null
);
