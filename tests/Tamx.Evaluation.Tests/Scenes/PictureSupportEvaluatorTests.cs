using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using Tamx.Evaluation.Scenes;
using Tamx.Llama;

namespace Tamx.Evaluation.Tests.Scenes;

/// <summary>Right answers to scenes pass, and those with a noun of something absent fail.</summary>
public sealed class PictureSupportEvaluatorTests : IAsyncLifetime
{
    private const int Seed = 9001;

    private VisionLanguageModel _model = null!;

    public async ValueTask InitializeAsync() =>
        _model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Path.Combine(AppContext.BaseDirectory, "models", "tamx-demo-grounded-f16.gguf"),
                ProjectorPath = Path.Combine(AppContext.BaseDirectory, "models", "mmproj-tamx-demo-grounded-f16.gguf"),
                ThreadCount = 1,
            }
        );

    public ValueTask DisposeAsync()
    {
        _model.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task EvaluateAsync_RightAndWrongNoun_PassesAndFails(int index)
    {
        var scene = Scene.Generate(Seed, index);
        var answer = scene.Questions[0].Answer;
        var named = scene.Questions[0].Words.First(word => word.Kind == WordKind.Noun).Text;
        string[] shapes = ["circle", "square", "triangle", "star", "heart", "cross"];
        var absent = shapes.First(shape => scene.Objects.All(item => item.Noun != shape));
        var evaluator = new PictureSupportEvaluator(_model, Calibration());

        var right = await evaluator.EvaluateAsync([Ask(scene)], Answer(answer));
        var wrong = await evaluator.EvaluateAsync([Ask(scene)], Answer(answer.Replace(named, absent)));

        Assert.Equal(evaluator.EvaluationMetricNames.Order(), right.Metrics.Keys.Order());
        var unsupported = right.Get<NumericMetric>(PictureSupportEvaluator.UnsupportedWords);
        Assert.Equal(0, unsupported.Value);
        Assert.False(unsupported.Interpretation!.Failed);
        Assert.InRange(right.Get<NumericMetric>(PictureSupportEvaluator.SeenWords).Value!.Value, .3, 1);
        Assert.InRange(right.Get<NumericMetric>(PictureSupportEvaluator.PictureGain).Value!.Value, 1, 30);

        unsupported = wrong.Get<NumericMetric>(PictureSupportEvaluator.UnsupportedWords);
        Assert.InRange(unsupported.Value!.Value, 1, 3);
        Assert.True(unsupported.Interpretation!.Failed);
        Assert.Equal(EvaluationRating.Unacceptable, unsupported.Interpretation.Rating);
        Assert.Contains(
            unsupported.Diagnostics!,
            one => one.Message.Contains($"\"{absent}\": opposition", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task EvaluateAsync_AnswerOfTheChatClient_IsTheSameAsOfItsText()
    {
        var scene = Scene.Generate(Seed, 3);
        using var client = _model.AsChatClient();
        var response = await client.GetResponseAsync(Ask(scene));
        var evaluator = new PictureSupportEvaluator(_model, Calibration());

        var own = await evaluator.EvaluateAsync([Ask(scene)], response);
        var text = await evaluator.EvaluateAsync([Ask(scene)], Answer(response.Text));

        foreach (var name in evaluator.EvaluationMetricNames)
        {
            // The answer was generated token by token, and its text read in a batch.
            Assert.Equal(own.Get<NumericMetric>(name).Value!.Value, text.Get<NumericMetric>(name).Value!.Value, 1e-2);
        }
    }

    [Fact]
    public async Task EvaluateAsync_NotCalibrated_IsInconclusive()
    {
        var scene = Scene.Generate(Seed, 0);
        var calibration = Calibration() with { SeenGain = null };

        var result = await new PictureSupportEvaluator(_model, calibration).EvaluateAsync(
            [Ask(scene)],
            Answer(scene.Questions[0].Answer)
        );

        foreach (var name in (string[])[PictureSupportEvaluator.SeenWords, PictureSupportEvaluator.UnsupportedWords])
        {
            var metric = result.Get<NumericMetric>(name);
            Assert.Null(metric.Value);
            Assert.Equal(EvaluationRating.Inconclusive, metric.Interpretation!.Rating);
            Assert.Contains("tamx calibrate", Assert.Single(metric.Diagnostics!).Message);
        }

        Assert.NotNull(result.Get<NumericMetric>(PictureSupportEvaluator.PictureGain).Value);
    }

    [Fact]
    public async Task EvaluateAsync_EmptyAnswer_IsRefused()
    {
        var evaluator = new PictureSupportEvaluator(_model, Calibration());

        await Assert.ThrowsAsync<InvalidInputException>(async () =>
            await evaluator.EvaluateAsync([Ask(Scene.Generate(Seed, 0))], Answer(" "))
        );
    }

    private static ChatMessage Ask(Scene scene) =>
        new(
            ChatRole.User,
            [
                new DataContent(PngPicture.Encode(scene.Rgb, scene.Size), "image/png"),
                new TextContent(scene.Questions[0].Prompt),
            ]
        );

    private static ChatResponse Answer(string text) => new(new ChatMessage(ChatRole.Assistant, text));

    /// <summary>Thresholds near those that <c>tamx calibrate</c> finds.</summary>
    private ModelCalibration Calibration() =>
        new()
        {
            ModelFile = "model.gguf",
            ModelBytes = _model.Facts.ByteCount,
            ParameterCount = _model.Facts.ParameterCount,
            Quantization = _model.Facts.Quantization,
            Method = MapMethod.Tam,
            Layer = -1,
            ApplyEci = false,
            ApplyFilter = false,
            ObjIou = .85,
            Pointing = 1,
            WordCount = 21,
            Data = "scenes",
            PresenceLayer = 0,
            SeenGain = 3,
            UnsupportedOpposition = 5.2,
        };
}
