using System.Globalization;
using System.Text;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx;

/// <summary>
/// The tokens of a model's folder: of <c>tokenizer.json</c>, or else of <c>vocab.json</c> and
/// <c>tokenizer_config.json</c>.
/// </summary>
internal sealed class CheckpointTokens
{
    private const string WholeName = "tokenizer.json";
    private const string VocabularyName = "vocab.json";
    private const string AddedName = "tokenizer_config.json";

    private readonly string _path;
    private readonly byte[]?[] _tokens;

    private CheckpointTokens(string path, byte[]?[] tokens)
    {
        (_path, _tokens) = (path, tokens);
    }

    /// <summary>Reads them.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="count">Rows of the output embedding.</param>
    /// <exception cref="ModelFormatException">The file is missing, damaged, or not this model's.</exception>
    public static CheckpointTokens Read(string folder, int count)
    {
        var whole = CheckpointJson.Read<TokenizerFile>(folder, WholeName);
        var path = Path.Combine(folder, whole is null ? VocabularyName : WholeName);
        var vocabulary = whole is null
            ? CheckpointJson.Read<Dictionary<string, int>>(folder, VocabularyName)
                ?? throw new ModelFormatException(folder, $"has neither {WholeName} nor {VocabularyName}")
            : whole.Model?.Vocab ?? throw new ModelFormatException(path, "has no vocabulary (model.vocab)");
        var added = whole is null
            ? CheckpointJson.Read<TokenizerSettings>(folder, AddedName)?.AddedTokensDecoder?.Select(ToPair)
            : whole.AddedTokens?.Select(token => (token?.Id ?? -1, token?.Content));
        var tokens = new byte[]?[count];
        foreach (var (text, id) in vocabulary)
        {
            Require(id);
            tokens[id] = tokens[id] is null
                ? ByteToUnicode.Decode(text)
                : throw new ModelFormatException(path, $"has two tokens with the id {id}");
        }

        // A token that was added is plain text, and takes the place of one of the vocabulary.
        foreach (var (id, text) in added ?? [])
        {
            Require(id);
            tokens[id] = Encoding.UTF8.GetBytes(text ?? "");
        }

        return new CheckpointTokens(path, tokens);

        void Require(int id)
        {
            if (id < 0 || id >= count)
            {
                throw new ModelFormatException(
                    path,
                    $"has a token with the id {id}, but the output embedding has {count} rows; files of one model are needed"
                );
            }
        }

        static (int, string?) ToPair(KeyValuePair<string, AddedToken?> token) =>
            (
                int.TryParse(token.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : -1,
                token.Value?.Content
            );
    }

    /// <summary>A token's bytes. Rows that no token has are called as llama.cpp's converter calls them.</summary>
    public byte[] GetBytes(int id) =>
        _tokens[id] ?? Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]"));

    /// <summary>The id of a text that is a single token, or null.</summary>
    public int? TryFindId(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var id = Array.FindIndex(_tokens, token => token is not null && token.AsSpan().SequenceEqual(bytes));
        return id >= 0 ? id : null;
    }

    /// <summary>The id of a text that is a single token.</summary>
    /// <exception cref="ModelFormatException">There is no such token.</exception>
    public int FindId(string text) =>
        TryFindId(text)
        ?? throw new ModelFormatException(_path, $"has no single token for {text}; a Qwen-VL model has one");

    private sealed record TokenizerFile(TokenizerModel? Model, IReadOnlyList<AddedToken?>? AddedTokens);

    private sealed record TokenizerModel(Dictionary<string, int>? Vocab);

    private sealed record TokenizerSettings(Dictionary<string, AddedToken?>? AddedTokensDecoder);

    private sealed record AddedToken(int? Id, string? Content);
}
