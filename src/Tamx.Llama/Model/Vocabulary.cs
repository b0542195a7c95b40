using System.Text;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>A model's tokens.</summary>
/// <remarks>Safe to use from several threads. Usable as long as its model is.</remarks>
public sealed class Vocabulary
{
    /// <summary>Cuts what an assistant says: these would change how the sequence is read.</summary>
    private readonly TextCutter _answerText;

    private readonly LlamaModel _model;
    private readonly string _path;
    private readonly HashSet<int> _endTokens;
    private readonly bool _cutsByExpression;
    private readonly SentencePieceIds? _pieces;
    private readonly TextCutter _userText;

    internal Vocabulary(LlamaModel model, ModelFacts facts)
    {
        _model = model;
        _path = facts.Path;
        _endTokens = [.. facts.EndTokenIds];
        Markers = ModelFamily.Of(facts).Markers;
        _answerText = new TextCutter([.. Markers.All, "<|endoftext|>", "<|vision_pad|>"]);
        _pieces = facts.Pieces;
        _cutsByExpression = ModelFamily.Of(facts).CutsByExpression;
        _userText = new TextCutter(facts.UserDefinedTokens);
        Count = facts.VocabularySize;
    }

    /// <summary>Number of tokens.</summary>
    public int Count { get; }

    /// <summary>The markers of the model's family.</summary>
    internal PromptMarkers Markers { get; }

    /// <summary>A token's bytes: UTF-8, possibly a part of a character. Control tokens give their name.</summary>
    /// <param name="id">Token id.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public byte[] GetBytes(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Count);
        return _model.GetBytes(id);
    }

    /// <summary>Whether a token ends an answer.</summary>
    /// <param name="id">Token id.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public bool EndsAnswer(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Count);
        return _endTokens.Contains(id);
    }

    /// <summary>Cuts text into tokens.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseMarkers">Whether the names of special tokens in the text become these tokens.</param>
    public int[] Tokenize(string text, bool parseMarkers = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Tokenize(text, parseMarkers ? SpecialTokens.All : SpecialTokens.None);
    }

    /// <summary>Cuts text into tokens.</summary>
    /// <param name="text">The text.</param>
    /// <param name="specials">Which special tokens that the text names are tokens.</param>
    internal int[] Tokenize(string text, SpecialTokens specials)
    {
        if (_pieces is not null && specials != SpecialTokens.All)
        {
            // Line feeds and tags of HTML, which its users defined, are pieces like any. Control tokens are none, but
            // llama.cpp's merging finds them by their names.
            var bytes = Encoding.UTF8.GetBytes(text);
            return [.. _model.Tokenize(bytes, parseSpecial: false).SelectMany(Spelled)];
        }

        // llama.cpp takes tokens that the user of a vocabulary defined (<think>) from any text.
        IEnumerable<string> parts = specials switch
        {
            SpecialTokens.None => _userText.Cut(text),
            SpecialTokens.Answer => _answerText.Cut(text),
            _ => [text],
        };
        if (_cutsByExpression)
        {
            parts = parts.SelectMany(LongRuns.Part);
        }

        return
        [
            .. parts.SelectMany(part =>
                _model.Tokenize(Encoding.UTF8.GetBytes(part), parseSpecial: specials != SpecialTokens.None)
            ),
        ];
    }

    /// <summary>A control token as the bytes of its name, any other as it is.</summary>
    private IEnumerable<int> Spelled(int id) =>
        _pieces!.Controls.Contains(id) ? GetBytes(id).Select(value => _pieces.Bytes[value]) : [id];

    /// <summary>The id of a text that is a single token, such as <c>&lt;|im_start|&gt;</c> or <c>user</c>.</summary>
    /// <param name="text">The token's whole text.</param>
    /// <exception cref="ModelFormatException">The vocabulary has no such token.</exception>
    public int FindId(string text) =>
        TryFindId(text)
        ?? throw new ModelFormatException(
            _path,
            $"the vocabulary has no single token for {text}, as all models have that Tamx runs"
        );

    /// <summary>The id of a text that is a single token; null if the vocabulary has no such token.</summary>
    /// <param name="text">The token's whole text.</param>
    public int? TryFindId(string text) => Tokenize(text, parseMarkers: true) is [var id] ? id : null;
}
