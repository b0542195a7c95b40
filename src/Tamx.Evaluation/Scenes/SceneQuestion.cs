namespace Tamx.Evaluation.Scenes;

/// <summary>What a question asks for.</summary>
public enum QuestionKind
{
    /// <summary>The caption.</summary>
    Describe,

    /// <summary>What is left of, right of, above or below an object.</summary>
    Relation,

    /// <summary>How many objects of a kind there are.</summary>
    Count,

    /// <summary>An object's colour.</summary>
    Color,
}

/// <summary>A word of an answer.</summary>
/// <param name="Text">The word, without the space before it.</param>
/// <param name="Start">Where it starts in the answer, in characters.</param>
/// <param name="Kind">What it is. Every word but the names of shapes and colours is a function word.</param>
/// <param name="ObjectIds">
/// All objects of the scene that bear this noun or colour, the answer's and others: a map shows where the picture holds
/// what the word means. Empty for function words.
/// </param>
public sealed record SceneWord(string Text, int Start, WordKind Kind, IReadOnlyList<int> ObjectIds);

/// <summary>A question about a scene, with the one right answer.</summary>
/// <param name="Kind">What it asks for.</param>
/// <param name="Prompt">The user's text.</param>
/// <param name="Answer">The expected text, letter by letter.</param>
/// <param name="Words">The answer's words in order, without punctuation.</param>
public sealed record SceneQuestion(QuestionKind Kind, string Prompt, string Answer, IReadOnlyList<SceneWord> Words);
