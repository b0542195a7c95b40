using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>Disposing in any order, twice, or during work; cancelling at any point.</summary>
public sealed class LifetimeTests
{
    private static readonly ChatTurn[] Question =
    [
        new(TurnRole.User, [TestPictures.Gradient(160, 128), new TextPart("Describe this image.")]),
    ];

    [Fact]
    public async Task Dispose_ModelBeforeCompletion_CompletionStillAnswers()
    {
        var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.Qwen3Vl));
        var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 3 });
        await completion.PrefillAsync();
        model.Dispose();

        // The completion's handles keep the native model until it is done with it.
        var exception = await Record.ExceptionAsync(() => CaptureTests.Collect(completion));
        Assert.True(exception is null or ObjectDisposedException, exception?.ToString());
        completion.Dispose();
        model.Dispose();
    }

    [Fact]
    public async Task Dispose_Twice_IsHarmless()
    {
        var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.Qwen3Vl));
        var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 2 });
        await CaptureTests.Collect(completion);
        completion.Dispose();
        completion.Dispose();
        model.Dispose();
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => model.CreateCompletion(Question));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => completion.PrefillAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(30)]
    [InlineData(80)]
    public async Task Dispose_WhileGenerating_EndsTheEnumeration(int milliseconds)
    {
        using var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.Qwen3Vl));
        var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 4000 });
        var work = CaptureTests.Collect(completion);
        await Task.Delay(milliseconds);
        completion.Dispose();
        model.Dispose();

        var exception = await Record.ExceptionAsync(() => work);
        Assert.True(exception is null or ObjectDisposedException, exception?.ToString());
    }

    [Fact]
    public async Task Dispose_NeverUsedCompletion_IsHarmless()
    {
        var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.Qwen3Vl));
        using var first = model.CreateCompletion(Question);
        using var second = model.CreateCompletion(Question);
        second.Dispose();
        model.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(60)]
    public async Task GenerateAsync_Cancelled_Throws(int milliseconds)
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        using var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 6000 });
        using var cancellation = new CancellationTokenSource();
        cancellation.CancelAfter(milliseconds);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var token in completion.GenerateAsync(cancellation.Token))
            {
                _ = token;
            }
        });
    }

    [Fact]
    public async Task GenerateAsync_CancelledBetweenTokens_StopsAtTheNext()
    {
        using var completion = LoadedModels
            .Get(TestModels.Qwen3Vl)
            .CreateCompletion(Question, new() { MaxNewTokens = 200 });
        using var cancellation = new CancellationTokenSource();
        var count = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var token in completion.GenerateAsync(cancellation.Token))
            {
                count++;
                if (token.Index == 2)
                {
                    await cancellation.CancelAsync();
                }
            }
        });
        Assert.Equal(3, count);
    }

    [Fact]
    public async Task LoadAsync_CancelledByProgress_Throws()
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new SynchronousProgress<ModelLoadProgress>(_ => cancellation.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.Qwen3Vl), progress, cancellation.Token)
        );
    }

    [Fact]
    public async Task LoadAsync_Progress_GoesFromModelToProjector()
    {
        var seen = new List<ModelLoadProgress>();
        using var model = await VisionLanguageModel.LoadAsync(
            LoadedModels.Options(TestModels.Qwen3Vl),
            new SynchronousProgress<ModelLoadProgress>(seen.Add)
        );
        Assert.Equal(["model", "projector"], seen.Select(p => p.Stage).Distinct());
        Assert.All(seen, p => Assert.InRange(p.Share, 0f, 1f));
        Assert.Contains(seen, p => p is { Stage: "model", Share: 1f });
    }

    [Fact]
    public async Task GenerateAsync_TwoCallersAtOnce_OneIsRefused()
    {
        using var completion = LoadedModels
            .Get(TestModels.Qwen3Vl)
            .CreateCompletion(Question, new() { MaxNewTokens = 300 });
        var outcomes = await Task.WhenAll(Collect(), Collect());
        Assert.Contains(outcomes, outcome => outcome is InvalidOperationException);

        Task<Exception?> Collect() => Record.ExceptionAsync(() => CaptureTests.Collect(completion)).AsTask();
    }

    [Fact]
    public async Task GenerateAsync_SeveralCompletionsOfOneModel_AnswerAsOneByOne()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        var options = new CompletionOptions { MaxNewTokens = 8 };
        using var alone = model.CreateCompletion(Question, options);
        var expected = (await CaptureTests.Collect(alone)).Select(token => token.Id).ToArray();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 3)
                .Select(async _ =>
                {
                    using var completion = model.CreateCompletion(Question, options);
                    return (await CaptureTests.Collect(completion)).Select(token => token.Id).ToArray();
                })
        );
        Assert.All(answers, answer => Assert.Equal(expected, answer));
    }

    private sealed class SynchronousProgress<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
