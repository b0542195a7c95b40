using Tamx.Llama.Families;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>A model's tokens and their output-embedding rows, read from its file; the model is not loaded.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class ModelTokens
{
    private readonly string[] _tokens;

    private ModelTokens(ModelFacts facts, string[] tokens)
    {
        Facts = facts;
        OutputEmbedding = new OutputEmbedding(facts);
        _tokens = tokens;
    }

    /// <summary>What the model's file says.</summary>
    public ModelFacts Facts { get; }

    /// <summary>The markers of the model's family.</summary>
    internal PromptMarkers Markers => ModelFamily.Of(Facts).Markers;

    /// <summary>The output embedding (lm_head).</summary>
    public OutputEmbedding OutputEmbedding { get; }

    /// <summary>Opens a model's file.</summary>
    /// <param name="path">The GGUF file (the first, if the model is split); untrusted.</param>
    /// <exception cref="ModelFormatException">The file is missing, damaged or of an unsupported kind.</exception>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries, which dequantize rows, are missing.</exception>
    public static ModelTokens Open(string path)
    {
        var model = GgufModel.Open(path);
        var facts = Preflight.CheckModel(model);
        return new ModelTokens(facts, model.Metadata.FindStrings("tokenizer.ggml.tokens") ?? []);
    }

    /// <summary>A token's bytes: UTF-8, possibly a part of a character. Control tokens give their name.</summary>
    /// <param name="id">Token id.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public byte[] GetBytes(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, _tokens.Length);
        return Decode(_tokens[id]);
    }

    /// <summary>The id of a text that is a single token, such as <c>&lt;|im_start|&gt;</c> or <c>user</c>.</summary>
    /// <param name="text">The token's whole text.</param>
    /// <exception cref="ModelFormatException">The vocabulary has no such token.</exception>
    public int FindId(string text) =>
        TryFindId(text)
        ?? throw new ModelFormatException(
            Facts.Path,
            $"the vocabulary has no single token for {text}, as all models have that Tamx runs"
        );

    /// <summary>The id of a text that is a single token; null if the vocabulary has no such token.</summary>
    /// <param name="text">The token's whole text.</param>
    public int? TryFindId(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var id = Array.FindIndex(_tokens, token => Decode(token).AsSpan().SequenceEqual(bytes));
        return id >= 0 ? id : null;
    }

    private byte[] Decode(string token) =>
        Facts.Pieces is not null ? SentencePieceText.Decode(token) : ByteToUnicode.Decode(token);
}
