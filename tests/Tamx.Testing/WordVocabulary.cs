namespace Tamx.Testing;

/// <summary>A vocabulary of real English words: byte pairs (gpt2) with Qwen's markers, or SentencePiece's.</summary>
/// <remarks>
/// Every word is one token with a leading space (" red") and one capitalised without ("Red"), so that sentences come
/// out in whole words. Words are built by merging one letter after the other to the front part. That works for every
/// word since merges that start with a space come first and those that start with a capital second: neither can occur
/// inside a word. Other text falls into letters and word parts.
/// </remarks>
public sealed partial class WordVocabulary
{
    private const int NormalType = 1;
    private const int ControlType = 3;
    private const int UserDefinedType = 4;

    private const int UnknownType = 2;
    private const int ByteType = 6;

    /// <summary>The byte letter of a space.</summary>
    private const string ByteSpace = "\u0120";

    /// <summary>SentencePiece's sign for a space.</summary>
    private const string PieceSpace = "\u2581";

    private static readonly string[] Controls =
    [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|object_ref_start|>",
        "<|object_ref_end|>",
        "<|box_start|>",
        "<|box_end|>",
        "<|quad_start|>",
        "<|quad_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|vision_pad|>",
        "<|image_pad|>",
        "<|video_pad|>",
    ];

    private static readonly string[] UserDefined = ["<think>", "</think>"];

    private static readonly string[] Roles = ["system", "user", "assistant"];

    private readonly List<string> _tokens = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<string> _merges = [];
    private readonly HashSet<string> _words = new(StringComparer.Ordinal);

    /// <summary>Builds the vocabulary.</summary>
    /// <param name="size">Made-up tokens fill it up to this size; 0 adds none.</param>
    /// <param name="furtherControls">Control tokens besides Qwen's.</param>
    public WordVocabulary(int size = 0, params string[] furtherControls)
        : this(
            ByteSpace,
            ByteLetters().Select(letter => (letter.ToString(), NormalType)),
            Roles,
            [.. Controls, .. furtherControls],
            UserDefined,
            size
        ) { }

    private WordVocabulary(
        string space,
        IEnumerable<(string Token, int Type)> letters,
        IReadOnlyList<string> roles,
        IReadOnlyList<string> controls,
        IReadOnlyList<string> userDefined,
        int size
    )
    {
        List<int> types = [];
        foreach (var (letter, type) in letters)
        {
            AddToken(letter);
            types.Add(type);
        }

        var words = WordList.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        foreach (var word in words)
        {
            AddWord(space + word);
            _words.Add(space + word);
        }

        foreach (var word in words)
        {
            AddWord(char.ToUpperInvariant(word[0]) + word[1..]);
        }

        foreach (var role in roles)
        {
            AddWord(role);
        }

        var markerCount = controls.Count + userDefined.Count;
        for (var i = 0; _tokens.Count < size - markerCount; i++)
        {
            AddToken($"{space}filler{i}");
        }

        Types =
        [
            .. types,
            .. Enumerable.Repeat(NormalType, _tokens.Count - types.Count),
            .. controls.Select(_ => ControlType),
            .. userDefined.Select(_ => UserDefinedType),
        ];
        foreach (var marker in controls.Concat(userDefined))
        {
            AddToken(marker);
        }
    }

    /// <summary>
    /// SentencePiece's kind of vocabulary: pieces with scores, the 256 bytes, and no merges. Line feeds are tokens that
    /// any text gives, alone and in a row, as in Gemma 3.
    /// </summary>
    /// <param name="begin">The control tokens before all others.</param>
    /// <param name="roles">Words that name turns.</param>
    /// <param name="controls">The other control tokens.</param>
    public static WordVocabulary SentencePiece(
        IReadOnlyList<string> begin,
        IReadOnlyList<string> roles,
        IReadOnlyList<string> controls
    ) =>
        new(
            PieceSpace,
            [
                .. begin.Select(token => (token, ControlType)),
                ("<unk>", UnknownType),
                .. Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", ByteType)),
                (PieceSpace, NormalType),
                .. Enumerable.Range('!', '~' - '!' + 1).Select(letter => (((char)letter).ToString(), NormalType)),
            ],
            roles,
            controls,
            ["\n", "\n\n", "\n\n\n", "<table>"],
            size: 0
        );

    /// <summary>Token texts as a file has them, by id.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>token_type by id.</summary>
    public IReadOnlyList<int> Types { get; }

    /// <summary>Scores of the pieces: the first to be put together have the highest.</summary>
    public IReadOnlyList<float> Scores => [.. _tokens.Select((_, id) => (float)-id)];

    /// <summary>Merges, the first to be applied first: left part, space, right part.</summary>
    public IReadOnlyList<string> Merges => _merges;

    /// <summary>The id of a token text (byte letters).</summary>
    public int IdOf(string token) =>
        _tokens.IndexOf(token) is >= 0 and var id
            ? id
            : throw new ArgumentException($"No token {token}.", nameof(token));

    /// <summary>
    /// True if the token is a whole word with a leading space; sentences written of these alone can be read.
    /// </summary>
    public bool IsWord(int id) => _words.Contains(_tokens[id]);

    /// <summary>
    /// GPT-2's letters for the 256 bytes: printable Latin-1 stands for itself, the rest follows from U+0100 on.
    /// </summary>
    private static IEnumerable<char> ByteLetters()
    {
        static bool IsPrintable(int value) =>
            value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
        var printable = Enumerable.Range(0, 256).Where(IsPrintable);
        var otherCount = 256 - printable.Count();
        return printable.Concat(Enumerable.Range(256, otherCount)).Select(value => (char)value);
    }

    /// <summary>Adds a word and its front parts as tokens, with the merges that build it letter by letter.</summary>
    private void AddWord(string word)
    {
        for (var length = 1; length < word.Length; length++)
        {
            var part = word[..(length + 1)];
            if (!_known.Contains(part))
            {
                _merges.Add($"{word[..length]} {word[length]}");
                AddToken(part);
            }
        }
    }

    private void AddToken(string token)
    {
        if (!_known.Add(token))
        {
            throw new InvalidOperationException($"Token {token} occurs twice.");
        }

        _tokens.Add(token);
    }
}
