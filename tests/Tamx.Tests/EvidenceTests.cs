using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Evidence adds up to the logits; layers are the model's own.</summary>
public sealed class EvidenceTests
{
    private static readonly ChatMessage[] Question =
    [
        new(
            ChatRole.User,
            [new TextPart("Look: "), TestPictures.Gradient(128, 96), new TextPart("Describe this image.")]
        ),
    ];

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions
        {
            MaxNewTokens = 5,
            CandidateCount = 3,
            PreciseCache = true,
        },
        Tam = new TamOptions { Method = MapMethod.Evidence },
    };

    private static readonly ReferenceEngine Engine = new();

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-untied")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vl-split")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl-untied")]
    public async Task ExplainAsync_Evidence_AddsUpToLogits(string name)
    {
        var model = LoadedModels.Get(name);
        var explanation = await Explainer.ExplainAsync(model, Question, Options, Engine);
        AssertComplete(model, explanation, 1e-3);
    }

    private static void AssertComplete(VisionLanguageModel model, Explanation explanation, double tolerance)
    {
        var trace = explanation.Trace;
        var mean = model.OutputEmbedding.ReadMean();
        Assert.Equal(explanation.Maps.Answer.Count, trace.Evidence!.Count);
        foreach (var (index, step) in trace.Evidence.Index())
        {
            var position = explanation.Maps.Answer[index].Position;
            var state = trace.HiddenStates.Span.Slice((position - 1) * trace.HiddenSize, trace.HiddenSize);
            var meanLogit = HiddenRows.Dot(mean.Span, state);
            for (var k = 0; k < step.TokenIds.Length; k++)
            {
                var row = model.OutputEmbedding.ReadRows([step.TokenIds[k]]);
                var logit = HiddenRows.Dot(row, state) - meanLogit;
                double sum = step.Rest[k];
                double size = Math.Abs(step.Rest[k]);
                foreach (var score in step.ScoresOf(k))
                {
                    sum += score;
                    size += Math.Abs(score);
                }

                Assert.Equal(position, step.ScoresOf(k).Length);
                Assert.InRange(Math.Abs(step.Logits[k] - logit), 0, tolerance * Math.Max(1, Math.Abs(logit)));
                Assert.InRange(Math.Abs(sum - logit), 0, tolerance * Math.Max(1, Math.Abs(logit)));
                Assert.True(size > Math.Abs(step.Rest[k]), "no position wrote anything");
            }
        }
    }
}
