using System.Diagnostics;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneDefinition;

[Collection("Alone")]
public sealed class MemoryTests
{
    /// <summary>
    /// Full-vocabulary logits of 300 image tokens alone would be 182 MB, and as much again in the compute buffer.
    /// </summary>
    [Fact]
    public async Task PrefillAsync_300ImageTokensOfLargeVocabulary_StaysUnder350MB()
    {
        using var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(TestModels.LargeVocabulary));
        var before = ResidentBytes();
        using var completion = model.CreateCompletion(
            [new(TurnRole.User, [TestPictures.Gradient(640, 480), new TextPart("Describe this image.")])],
            new() { MaxNewTokens = 4, CandidateCount = 3 }
        );
        await CaptureTests.Collect(completion);
        var growth = ResidentBytes() - before;

        Assert.True(completion.PromptTokenCount > 300);
        Assert.True(growth < 350_000_000, $"resident memory grew by {growth / 1_000_000} MB");
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
