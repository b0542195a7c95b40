using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

public sealed class LogitBiasTests
{
    private static readonly ChatTurn[] Question = [new(TurnRole.User, "Describe this image.")];

    private static VisionLanguageModel Model => LoadedModels.Get(TestModels.Qwen3Vl);

    [Theory]
    [InlineData(0)]
    [InlineData(1.5f)]
    public async Task GenerateAsync_ForcedToken_IsAllThereIs(float temperature)
    {
        var id = Model.Vocabulary.Count / 3;
        var tokens = await Write(
            new()
            {
                Temperature = temperature,
                LogitBias = new Dictionary<int, float> { [id] = 100 },
            }
        );

        Assert.All(tokens, token => Assert.Equal(id, token.Id));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.5f)]
    public async Task GenerateAsync_BannedTokens_DoNotCome(float temperature)
    {
        var options = new CompletionOptions { Temperature = temperature, Seed = 3 };
        var plain = (await Write(options)).Select(token => token.Id).ToHashSet();

        var bans = plain.ToDictionary(id => id, _ => -100f);
        var tokens = await Write(options with { LogitBias = bans });

        Assert.NotEmpty(tokens);
        Assert.All(tokens, token => Assert.DoesNotContain(token.Id, plain));
    }

    /// <summary>The choice by hand, from the logits that each step tells: they and the candidates are the model's own.</summary>
    [Fact]
    public async Task GenerateAsync_Biases_AreAddedToTheLogitsOfTheChoiceAlone()
    {
        var random = new Random(7);
        var biases = Enumerable
            .Range(0, Model.Vocabulary.Count)
            .Where(_ => random.Next(3) == 0)
            .ToDictionary(id => id, _ => (float)((random.NextDouble() * 4) - 2));
        var options = new CompletionOptions
        {
            MaxNewTokens = 12,
            LogitBias = biases,
            PresencePenalty = 0.5f,
            CandidateCount = 1,
        };
        using var completion = Model.CreateCompletion(Question, options);
        var (written, changed) = (new HashSet<int>(), false);
        await foreach (var token in completion.GenerateAsync())
        {
            var logits = completion.GetLogits();
            var best = Array.IndexOf(logits, logits.Max());
            Assert.Equal(best, token.Candidates[0].Id);
            Assert.Equal(logits[token.Id], token.Logit);
            foreach (var (id, bias) in biases)
            {
                logits[id] += bias;
            }

            foreach (var id in written)
            {
                logits[id] -= 0.5f;
            }

            Assert.Equal(Array.IndexOf(logits, logits.Max()), token.Id);
            written.Add(token.Id);
            changed |= token.Id != best;
        }

        Assert.True(changed, "the biases made no difference");
    }

    [Theory]
    [InlineData(-1, 1, "token -1 (LogitBias)")]
    [InlineData(int.MaxValue, 1, "token 2147483647 (LogitBias)")]
    [InlineData(5, 100.5f, "token 5 (LogitBias) is 100.5")]
    [InlineData(5, float.NegativeInfinity, "token 5")]
    [InlineData(5, float.NaN, "token 5")]
    public void CreateCompletion_BiasThatCannotBe_IsRefusedByName(int id, float bias, string message)
    {
        var options = new CompletionOptions { LogitBias = new Dictionary<int, float> { [id] = bias } };

        var exception = Assert.Throws<InvalidInputException>(() => Model.CreateCompletion(Question, options));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateCompletion_FirstIdBeyondTheVocabulary_IsRefused()
    {
        var count = Model.Vocabulary.Count;
        Model.CreateCompletion(Question, With(count - 1)).Dispose();

        var exception = Assert.Throws<InvalidInputException>(() => Model.CreateCompletion(Question, With(count)));
        Assert.Contains($"(0 to {count - 1})", exception.Message, StringComparison.Ordinal);

        static CompletionOptions With(int id) => new() { LogitBias = new Dictionary<int, float> { [id] = 1 } };
    }

    private static async Task<List<GeneratedToken>> Write(CompletionOptions options)
    {
        using var completion = Model.CreateCompletion(Question, options with { MaxNewTokens = 8 });
        return await CaptureTests.Collect(completion);
    }
}
