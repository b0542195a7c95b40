using Tamx.Llama.Chat;

namespace Tamx.Evaluation;

/// <summary>A picture with a question and with what is known about it.</summary>
public sealed record EvaluationSample
{
    /// <summary>The sample's name, unlike that of any other.</summary>
    public required string Name { get; init; }

    /// <summary>The picture.</summary>
    public required ImagePart Picture { get; init; }

    /// <summary>The question.</summary>
    public required string Prompt { get; init; }

    /// <summary>Which object each pixel belongs to, at the picture's size.</summary>
    public required LabelMap Labels { get; init; }

    /// <summary>The one right answer, or null where there is none.</summary>
    public string? ExpectedAnswer { get; init; }

    /// <summary>
    /// The words of <see cref="ExpectedAnswer"/> with the objects they stand for. Those that the model writes too are
    /// scored. Null where words are found by <see cref="Categories"/>.
    /// </summary>
    public IReadOnlyList<ExpectedWord>? Words { get; init; }

    /// <summary>What the labels stand for, where <see cref="Words"/> is null.</summary>
    public IReadOnlyList<LabelledCategory> Categories { get; init; } = [];
}

/// <summary>A word of an expected answer.</summary>
/// <param name="Text">The word.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Labels">
/// Labels of all objects that the word stands for. A map rightly shows all of them, so their masks are joined.
/// A function word has none, and is scored against all objects together.
/// </param>
public sealed record ExpectedWord(string Text, WordKind Kind, IReadOnlyList<int> Labels);

/// <summary>What the pixels of a label show.</summary>
/// <param name="Label">The label, 1 to 255.</param>
/// <param name="Name">The category's name. Each of its words names it.</param>
public sealed record LabelledCategory(int Label, string Name);
