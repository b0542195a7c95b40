using Tamx.Llama;
using Tamx.Llama.Families;

namespace Tamx;

/// <summary>Token ids of the chat and vision markers. A model's vocabulary gives them by text.</summary>
/// <remarks>
/// A TAMX dump has no vocabulary. It gets <see cref="QwenPublished"/>, unless the model's file is given.
/// </remarks>
public sealed record MarkerIds
{
    /// <summary>
    /// The ids of the published Qwen2-VL, Qwen2.5-VL and Qwen3-VL vocabularies. The last two are Qwen3-VL's alone; the
    /// others leave them unused.
    /// </summary>
    public static MarkerIds QwenPublished { get; } =
        new()
        {
            TurnStart = 151644,
            TurnEnd = 151645,
            VisionStart = 151652,
            VisionEnd = 151653,
            ImagePad = 151655,
            VideoPad = 151656,
            System = 8948,
            User = 872,
            Assistant = 77091,
            Newline = 198,
            ThinkStart = 151667,
            ThinkEnd = 151668,
        };

    /// <summary>Begins a turn: <c>&lt;|im_start|&gt;</c>, or <c>&lt;start_of_turn&gt;</c> in Gemma 3.</summary>
    public required int TurnStart { get; init; }

    /// <summary>Ends a turn: <c>&lt;|im_end|&gt;</c>, or <c>&lt;end_of_turn&gt;</c>.</summary>
    public required int TurnEnd { get; init; }

    /// <summary>
    /// Stands before the cells of a picture: <c>&lt;|vision_start|&gt;</c>, <c>&lt;img&gt;</c> in InternVL, or
    /// <c>&lt;start_of_image&gt;</c> in Gemma 3. The same as <see cref="ImagePad"/> where nothing stands around cells.
    /// </summary>
    public required int VisionStart { get; init; }

    /// <summary>
    /// Stands after them: <c>&lt;|vision_end|&gt;</c>, <c>&lt;/img&gt;</c>, or <c>&lt;end_of_image&gt;</c>.
    /// </summary>
    public required int VisionEnd { get; init; }

    /// <summary>
    /// The token that a picture's cells carry: <c>&lt;|image_pad|&gt;</c>, <c>&lt;IMG_CONTEXT&gt;</c>, or
    /// <c>&lt;pad&gt;</c> in Gemma 3.
    /// </summary>
    public required int ImagePad { get; init; }

    /// <summary>
    /// The token that a video's cells carry: <c>&lt;|video_pad|&gt;</c>. Null in families that are shown no videos.
    /// </summary>
    public int? VideoPad { get; init; }

    /// <summary>The role word <c>system</c>. Null in families without such turns.</summary>
    public int? System { get; init; }

    /// <summary>The role word <c>user</c>. Null where it is no single token (<see cref="Openings"/>).</summary>
    public int? User { get; init; }

    /// <summary>The role word <c>assistant</c>, or <c>model</c> in Gemma 3.</summary>
    public int? Assistant { get; init; }

    /// <summary>
    /// Other tokens that are no text: what ends rows of cells, or the system's turns (<c>[IMG_BREAK]</c> of Pixtral).
    /// Null in the other families.
    /// </summary>
    public IReadOnlyList<int>? Others { get; init; }

    /// <summary>
    /// How turns begin where no role word follows <see cref="TurnStart"/> in each: <c>User:</c> behind a marker, in
    /// SmolVLM. Null in the other families.
    /// </summary>
    public IReadOnlyList<TurnOpening>? Openings { get; init; }

    /// <summary>A single line feed. Null where it is no single token.</summary>
    public int? Newline { get; init; }

    /// <summary><c>&lt;think&gt;</c>, or null where the vocabulary has no such token.</summary>
    public int? ThinkStart { get; init; }

    /// <summary><c>&lt;/think&gt;</c>, or null where the vocabulary has no such token.</summary>
    public int? ThinkEnd { get; init; }

    /// <summary>Looks the markers up in a model's vocabulary.</summary>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <exception cref="ModelFormatException">One of them is not a single token.</exception>
    public static MarkerIds Find(Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        var markers = Find(vocabulary.Markers, vocabulary.TryFindId, vocabulary.FindId);
        return vocabulary.Markers.Openings.Count == 0
            ? markers
            : markers with
            {
                Openings =
                [
                    .. vocabulary.Markers.Openings.Select(opening => new TurnOpening(
                        PromptMarkers.Qwen.RoleOf(opening.Role),
                        vocabulary.Tokenize(opening.Text, parseMarkers: true)
                    )),
                ],
            };
    }

    /// <inheritdoc cref="Find(Vocabulary)"/>
    /// <param name="tokens">The tokens of a model's file.</param>
    public static MarkerIds Find(ModelTokens tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return tokens.Markers.Openings.Count == 0
            ? Find(tokens.Markers, tokens.TryFindId, tokens.FindId)
            : throw new InvalidInputException(
                $"{tokens.Facts.Path}: where turns of {tokens.Facts.Family} begin cannot be told without its tokenizer; "
                    + "explain with the model itself"
            );
    }

    /// <inheritdoc cref="Find(Vocabulary)"/>
    /// <param name="markers">The family's markers.</param>
    /// <param name="tryFindId">The id of a text that is a single token, or null.</param>
    /// <param name="findId">The same; throws where there is none.</param>
    internal static MarkerIds Find(PromptMarkers markers, Func<string, int?> tryFindId, Func<string, int> findId)
    {
        return new()
        {
            TurnStart = findId(markers.TurnStart),
            TurnEnd = findId(markers.TurnEnd),
            VisionStart = findId(markers.VisionStart),
            VisionEnd = findId(markers.VisionEnd),
            ImagePad = findId(markers.ImagePad),
            VideoPad = markers.VideoPad is { } videoPad ? findId(videoPad) : null,
            System = markers.System is { } system ? WordId(system) : null,
            User = WordId(markers.User),
            Assistant = WordId(markers.Assistant),
            Newline = markers.Openings.Count > 0 ? tryFindId("\n") : findId("\n"),
            Others = markers is { RowEnd: null, Others: [] }
                ? null
                : [.. markers.Others.Append(markers.RowEnd).OfType<string>().Select(findId)],
            ThinkStart = tryFindId("<think>"),
            ThinkEnd = tryFindId("</think>"),
        };

        // Where turns begin otherwise, the words are part of that, and elsewhere they are text.
        int? WordId(string word) => markers.Openings.Count > 0 ? null : findId(word);
    }
}
