using System.Security.Cryptography;

namespace Tamx.Llama;

/// <summary>What a completion leaves of its prompt: a context that holds chunks of it, and their rows.</summary>
/// <param name="Context">The context. It ends after the chunks.</param>
/// <param name="Shape">What must be equal for it to be of use.</param>
/// <param name="ContextSize">Tokens that the context holds.</param>
/// <param name="Chunks">The chunks, in order.</param>
/// <param name="Rows">The captured rows of all positions, in the order of <see cref="SequenceDecoder"/>.</param>
internal sealed record KeptPrompt(
    LlamaContext Context,
    DecoderShape Shape,
    int ContextSize,
    IReadOnlyList<DecodedChunk> Chunks,
    IReadOnlyList<PositionRows> Rows
) : IDisposable
{
    /// <summary>Whether its context gives what a new one of a shape and size would.</summary>
    /// <remarks>
    /// llama.cpp looks at the cache in steps of 256 positions, as far as the context goes. So in a larger one it sees
    /// as many, if the smaller one ends with a step.
    /// </remarks>
    public bool Serves(DecoderShape shape, int contextSize)
    {
        const int Step = 256;
        return Shape == shape && (ContextSize == contextSize || (ContextSize > contextSize && contextSize % Step == 0));
    }

    public void Dispose() => Context.Dispose();
}

/// <summary>What the rows of a prompt depend on besides the prompt.</summary>
/// <param name="Model">The model, with its threads.</param>
/// <param name="BatchSize">Most tokens of a decode.</param>
/// <param name="IsPrecise">Whether keys and values are float32.</param>
/// <param name="Captures">Whether hidden states are captured.</param>
/// <param name="CapturesAttention">Whether what attention reads is.</param>
/// <param name="Layers">The layers whose residual stream is captured.</param>
internal sealed record DecoderShape(
    VisionLanguageModel Model,
    int BatchSize,
    bool IsPrecise,
    bool Captures,
    bool CapturesAttention,
    string Layers
);

/// <summary>A chunk that a context holds.</summary>
/// <param name="Chunk">The chunk.</param>
/// <param name="Digest">Tells its text or pixels from others.</param>
/// <param name="NextPosition">What <see cref="LlamaContext.NextPosition"/> was before it.</param>
internal sealed record DecodedChunk(PromptChunk Chunk, string Digest, int NextPosition)
{
    /// <summary>The first position of its tokens.</summary>
    public int FirstPosition => NextPosition + (Chunk is PatchChunk { Time: var time } ? time : 0);

    /// <summary>Of a text's tokens, or a patch's pixels.</summary>
    public static string DigestOf(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(first);
        hash.AppendData(second);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}

/// <summary>Captured rows, one per position from the first.</summary>
/// <param name="Values">[positions, <paramref name="Size"/>], with room for more.</param>
/// <param name="Size">Values per row.</param>
internal readonly record struct PositionRows(float[] Values, int Size);
