using LLama.Native;

namespace Tamx.Llama;

/// <summary>Chooses tokens as llama.cpp's own tools do: top-k, top-p, temperature, in this order; the best one at temperature 0.</summary>
internal sealed class TokenSampler : IDisposable
{
    private readonly SafeLLamaSamplerChainHandle _chain = SafeLLamaSamplerChainHandle.Create(LLamaSamplerChainParams.Default());
    private LLamaTokenData[] _vocabulary = [];

    public TokenSampler(CompletionOptions options)
    {
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

        using var pin = LLamaTokenDataArrayNative.Create(LLamaTokenDataArray.Create(logits, _vocabulary), out var choice);
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
