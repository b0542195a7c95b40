using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>Likelihoods of given answers.</summary>
public sealed class ScoreTests
{
    [Fact]
    public async Task ScoreAsync_GeneratedAnswer_GivesTheProbabilitiesOfGeneration()
    {
        using var model = await LoadAsync();
        var tokens = new List<GeneratedToken>();
        using var generated = model.CreateCompletion(Messages, new CompletionOptions { MaxNewTokens = 6 });
        await foreach (var token in generated.GenerateAsync())
        {
            tokens.Add(token);
        }

        using var given = model.CreateCompletion(Messages, new CompletionOptions { MaxNewTokens = 6 });
        var scores = await given.ScoreAsync([.. tokens.Select(token => token.Id)]);

        FloatAssert.Equal(
            [.. tokens.Select(token => MathF.Log(token.Probability))], [.. scores.Select(score => (float)score)], 1e-5, "ln p");
        Assert.Equal(generated.TokenIds.ToArray(), given.TokenIds.ToArray());
        Assert.Equal(generated.HiddenStates.ToArray(), given.HiddenStates.ToArray());
    }

    /// <summary>The probabilities of all tokens sum to 1, so an answer that is not the best one is scored over the whole vocabulary too.</summary>
    [Fact]
    public async Task ScoreAsync_EveryToken_SumsToOne()
    {
        using var model = await LoadAsync();
        using var completion = model.CreateCompletion(Messages, new CompletionOptions { MaxNewTokens = 1 });
        var first = Assert.Single(await completion.ScoreAsync([5]));
        var logits = completion.GetLogits();

        Assert.Equal(1, logits.Sum(logit => Math.Exp(first + logit - logits[5])), 1e-6);
    }

    [Fact]
    public async Task ScoreAsync_WrongAnswer_Throws()
    {
        using var model = await LoadAsync();
        using var completion = model.CreateCompletion(Messages, new CompletionOptions { MaxNewTokens = 2 });

        await Assert.ThrowsAsync<ArgumentException>(() => completion.ScoreAsync([]));
        await Assert.ThrowsAsync<ArgumentException>(() => completion.ScoreAsync([1, 2, 3]));
        await Assert.ThrowsAsync<ArgumentException>(() => completion.ScoreAsync([1, -1]));
        await Assert.ThrowsAsync<ArgumentException>(() => completion.ScoreAsync([1, model.Vocabulary.Count]));
        Assert.Equal(2, (await completion.ScoreAsync([1, 2])).Length);
        await Assert.ThrowsAsync<InvalidOperationException>(() => completion.ScoreAsync([1]));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await completion.GenerateAsync().GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task ScoreAsync_Cancelled_Throws()
    {
        using var model = await LoadAsync();
        using var completion = model.CreateCompletion(Messages, new CompletionOptions { MaxNewTokens = 2 });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completion.ScoreAsync([1, 2], new CancellationToken(canceled: true)));
    }

    private static IReadOnlyList<ChatMessage> Messages => [new(ChatRole.User, [TestPictures.Gradient(96, 64), new TextPart("What is this?")])];

    private static Task<VisionLanguageModel> LoadAsync() =>
        VisionLanguageModel.LoadAsync(new ModelOptions { ModelPath = TestModels.Qwen3Vl.ModelPath, ProjectorPath = TestModels.Qwen3Vl.ProjectorPath });
}
