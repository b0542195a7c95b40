using LLama.Native;

namespace Tamx.Llama;

/// <summary>
/// Chooses tokens as llama.cpp's tools do: biases, penalties, top-k, top-p, min-p, temperature, in this order. At
/// temperature 0 it takes the best.
/// </summary>
/// <remarks>Penalties count the tokens of the answer alone, as in llama-mtmd-cli and OpenAI's API.</remarks>
internal sealed class TokenSampler : IDisposable
{
    private readonly SafeLLamaSamplerChainHandle _chain = SafeLLamaSamplerChainHandle.Create(
        LLamaSamplerChainParams.Default()
    );
    private LLamaTokenData[] _vocabulary = [];

    /// <param name="options">How to choose.</param>
    /// <param name="vocabularySize">Tokens of the vocabulary.</param>
    /// <param name="capacity">Most tokens of an answer; llama.cpp keeps room for as many as penalties count.</param>
    public TokenSampler(CompletionOptions options, int vocabularySize, int capacity)
    {
        if (options.LogitBias.Count > 0)
        {
            LLamaLogitBias[] biases =
            [
                .. options.LogitBias.Select(pair => new LLamaLogitBias { Token = pair.Key, Bias = pair.Value }),
            ];
            _chain.AddLogitBias(vocabularySize, biases);
        }

        var penalized = options.RepeatLastN < 0 ? capacity : Math.Min(options.RepeatLastN, capacity);
        if (
            penalized > 0
            && (options.PresencePenalty != 0 || options.FrequencyPenalty != 0 || options.RepeatPenalty != 1)
        )
        {
            _chain.AddPenalties(penalized, options.RepeatPenalty, options.FrequencyPenalty, options.PresencePenalty);
        }

        if (options.Temperature <= 0)
        {
            _chain.AddGreedySampler();
            return;
        }

        if (options.TopK > 0)
        {
            _chain.AddTopK(options.TopK);
        }

        if (options.TopP < 1)
        {
            _chain.AddTopP(options.TopP, 1);
        }

        if (options.MinP > 0)
        {
            _chain.AddMinP(options.MinP, 1);
        }

        _chain.AddTemperature(options.Temperature);
        _chain.AddDistributionSampler(options.Seed);
    }

    /// <param name="logits">Logits [vocabulary].</param>
    /// <exception cref="LlamaException">The sampler chose nothing.</exception>
    public int Sample(ReadOnlySpan<float> logits)
    {
        if (_vocabulary.Length != logits.Length)
        {
            _vocabulary = new LLamaTokenData[logits.Length];
        }

        using var pin = LLamaTokenDataArrayNative.Create(
            LLamaTokenDataArray.Create(logits, _vocabulary),
            out var choice
        );
        choice.Selected = -1;
        _chain.Apply(ref choice);
        if (choice.Selected < 0 || (ulong)choice.Selected >= choice.Size)
        {
            throw new LlamaException("llama.cpp's sampler chose no token");
        }

        var token = choice.Data[(int)choice.Selected].ID;
        _chain.Accept(token);
        return (int)token;
    }

    public void Dispose() => _chain.Dispose();
}
