using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Evaluation.Tests;

/// <summary>
/// Whole runs on a random model: what is measured is nonsense, but it must be measured, the same every time, and kept.
/// </summary>
public sealed class MapEvaluationTests : IDisposable
{
    private readonly HandMadeFolder _folder = HandMadeFolder.WithList();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunAsync_Folder_ScoresAllKindsOfMapsFromOneTrace()
    {
        using var model = await LoadAsync();
        var options = Options with { CurveSampleCount = 1, CurveStepCount = 3 };
        var samples = await SamplesAsync(model);

        var results = await MapEvaluation.RunAsync(model, samples, samples.Length, options);

        Assert.Equal(samples.Select(sample => sample.Name), results.Select(result => result.Name));
        var rows = results[0].Rows;
        Assert.NotEmpty(rows);
        Assert.Equal(options.Kinds, rows.Select(row => row.Maps).Distinct());
        Assert.Equal(options.Kinds, results[0].Paper.Select(row => row.Maps));

        // What depends on word and picture alone is the same for all kinds; what depends on the map differs.
        foreach (var word in rows.GroupBy(row => row.Index))
        {
            Assert.Single(word.Select(row => (row.Text, row.Words, row.Area, row.Ceiling)).Distinct());
        }

        Assert.True(rows.Where(row => row.Index == rows[^1].Index).Select(row => row.Mass).Distinct().Count() > 1);

        // Curves start and end at the same pictures.
        var curves = results[0].Curves!;
        Assert.Equal(
            [4, 4, 4, 4],
            new[] { curves.Deletion, curves.Insertion, curves.RandomDeletion, curves.RandomInsertion }.Select(curve =>
                curve.Count
            )
        );
        Assert.Equal(curves.Deletion[0], curves.Insertion[^1]);
        Assert.Equal(curves.Deletion[^1], curves.Insertion[0]);
        Assert.Equal(curves.RandomDeletion, curves.RandomInsertion.Reverse());
        Assert.All(curves.Deletion, value => Assert.InRange(value, -20, 0));
        Assert.Null(results[1].Curves);
        var summary = EvaluationSummary.Of(results, options);
        Assert.Equal(1, summary.Curves!.Count);
        Assert.Equal(1, summary.CaptionsExact);
    }

    [Fact]
    public async Task RunAsync_Sweep_ScoresTheSameMapsAsTheirKinds()
    {
        using var model = await LoadAsync();
        var samples = await SamplesAsync(model);
        var options = Options with { Sweep = MapSetting.Sweep };

        var results = await MapEvaluation.RunAsync(model, samples, samples.Length, options);

        var summary = EvaluationSummary.Of(results, options);
        Assert.Equal(MapSetting.Sweep, summary.Sweep.Select(score => score.Setting));
        AssertAlike(MapKind.Raw, new MapSetting(TamProfile.Tamx, 0, 0));
        AssertAlike(MapKind.Filter, new MapSetting(TamProfile.Tamx, 0, 3));
        AssertAlike(MapKind.Eci, new MapSetting(TamProfile.Tamx, 1, 0));
        AssertAlike(MapKind.EciFilter, new MapSetting(TamProfile.Tamx, 1, 3));
        Assert.True(summary.Sweep.Select(score => score.Mass).Distinct().Count() > 6);
        Assert.Equal(
            results[0].Settings!.Sum(score => score.Nouns),
            27 * results[0].Rows.Count(row => row.Maps == MapKind.Raw)
        );

        void AssertAlike(MapKind kind, MapSetting setting)
        {
            var row = summary.Rows.Single(row => row.Words == WordKind.Noun && row.Maps == kind);
            var score = summary.Sweep.Single(score => score.Setting == setting);
            Assert.Equal(row.Count, score.Nouns);
            Assert.Equal(row.ObjIou, score.ObjIou!.Value, 1e-12);
            Assert.Equal(row.Pointing, score.Pointing!.Value, 1e-12);
            Assert.Equal(row.Mass, score.Mass!.Value, 1e-12);
        }
    }

    [Fact]
    public async Task RunAsync_Against_ComparesTheSameAnswersMaps()
    {
        using var model = await LoadAsync();
        using var same = await LoadAsync();
        var samples = await SamplesAsync(model);

        var results = await MapEvaluation.RunAsync(model, samples, samples.Length, Options, same);

        // Going through a given answer cuts it into other batches than writing it.
        Assert.All(results, result => Assert.Equal(Options.Kinds, result.Agreement!.Select(item => item.Maps)));
        Assert.All(
            EvaluationSummary.Of(results, Options).Agreement,
            item => Assert.True(item.Correlation > 0.999 && item.Count > 0, $"{item}")
        );

        using var other = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = TestModels.Qwen3VlUntied.ModelPath,
                ProjectorPath = TestModels.Qwen3VlUntied.ProjectorPath,
            }
        );
        var strange = await MapEvaluation.RunAsync(model, samples, samples.Length, Options, other);
        Assert.All(
            EvaluationSummary.Of(strange, Options).Agreement,
            item => Assert.True(item.Correlation < 0.9, $"{item}")
        );
    }

    [Fact]
    public async Task RunAsync_BrokenOff_GoesOnWhereItWas()
    {
        using var model = await LoadAsync();
        var samples = await SamplesAsync(model);
        var path = _folder.File("run.jsonl");
        using (var log = ResultLog.Open(path, "settings"))
        {
            using var cancellation = new CancellationTokenSource();
            var progress = new Cancelling(cancellation, after: 2);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                MapEvaluation.RunAsync(
                    model,
                    samples,
                    samples.Length,
                    Options,
                    null,
                    null,
                    log,
                    progress,
                    cancellation.Token
                )
            );
        }

        using var again = ResultLog.Open(path, "settings");
        Assert.Equal(2, again.Results.Count);
        var kept = again.Results.Values.ToArray();
        var results = await MapEvaluation.RunAsync(model, samples, samples.Length, Options, null, null, again);

        Assert.Equal(5, again.Results.Count);
        Assert.Same(kept[0], results[0]);
        Assert.Same(kept[1], results[1]);
        var whole = await MapEvaluation.RunAsync(model, samples, samples.Length, Options);
        Assert.Equal(whole.SelectMany(result => result.Rows), results.SelectMany(result => result.Rows));
    }

    [Fact]
    public async Task RunAsync_LabelMapOfAnotherSize_SaysWhichAndHow()
    {
        using var model = await LoadAsync();
        var sample = (await SamplesAsync(model))[0] with { Labels = new LabelMap(32, 64, new byte[32 * 64]) };

        var exception = await Assert.ThrowsAsync<InvalidInputException>(() =>
            MapEvaluation.RunAsync(model, [sample], 1, Options)
        );

        Assert.Contains(
            "pictures/0.png: the picture has 64 x 64 pixels, its label map 32 x 64",
            exception.Message,
            StringComparison.Ordinal
        );
    }

    private static EvaluationOptions Options { get; } = new() { MaxNewTokens = 8, ResampleCount = 50 };

    private static Task<VisionLanguageModel> LoadAsync() =>
        VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = TestModels.Qwen3Vl.ModelPath,
                ProjectorPath = TestModels.Qwen3Vl.ProjectorPath,
            }
        );

    /// <summary>
    /// The folder's samples, with the model's own answers as the expected ones; every word stands for label 1, 2 or 3.
    /// </summary>
    private async Task<EvaluationSample[]> SamplesAsync(VisionLanguageModel model)
    {
        var samples = new List<EvaluationSample>();
        foreach (var sample in PictureFolder.Open(_folder.Path).Samples())
        {
            ChatTurn[] messages = [new(TurnRole.User, [sample.Picture, new TextPart(sample.Prompt)])];
            using var completion = model.CreateCompletion(messages, new CompletionOptions { MaxNewTokens = 8 });
            var tokens = new List<string>();
            await foreach (var token in completion.GenerateAsync())
            {
                tokens.Add(token.Text);
            }

            samples.Add(
                sample with
                {
                    ExpectedAnswer = string.Concat(tokens),
                    Words =
                    [
                        .. AnswerWord
                            .Group(tokens)
                            .Select(word => new ExpectedWord(word.Text, WordKind.Noun, [1, 2, 3])),
                    ],
                }
            );
        }

        return [.. samples];
    }

    private sealed class Cancelling(CancellationTokenSource source, int after) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            if (value.Done == after)
            {
                source.Cancel();
            }
        }
    }
}
