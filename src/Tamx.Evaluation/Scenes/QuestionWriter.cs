namespace Tamx.Evaluation.Scenes;

/// <summary>Writes a scene's questions and answers.</summary>
internal static class QuestionWriter
{
    public const string DescribePrompt = "Describe this image.";

    private static readonly string[] Numbers = ["none", "one", "two", "three", "four"];

    private static readonly string[] Relations = ["left of", "right of", "above", "below"];

    public static IReadOnlyList<SceneQuestion> Write(
        IReadOnlyList<SceneObject> objects,
        int size,
        ref SceneRandom random
    )
    {
        var questions = new List<SceneQuestion>
        {
            Ask(QuestionKind.Describe, DescribePrompt, Caption(objects, size), objects),
        };
        if (objects.Count == 2)
        {
            AddRelation(questions, objects, size, ref random);
        }

        AddCount(questions, objects, ref random);
        AddColor(questions, objects, ref random);
        return questions;
    }

    /// <summary>
    /// Marks an answer's words: nouns and colours with the objects that bear them, the rest as function words.
    /// </summary>
    public static SceneQuestion Ask(QuestionKind kind, string prompt, string answer, IReadOnlyList<SceneObject> objects)
    {
        var words = new List<SceneWord>();
        for (int start = 0, end; start < answer.Length; start = end + 1)
        {
            for (end = start; end < answer.Length && char.IsLetter(answer[end]); end++) { }

            if (end > start)
            {
                words.Add(Mark(answer[start..end], start, objects));
            }
        }

        return new SceneQuestion(kind, prompt, answer, words);
    }

    private static SceneWord Mark(string word, int start, IReadOnlyList<SceneObject> objects)
    {
        if (char.IsAsciiLetterLower(word[0]))
        {
            if (Enum.TryParse(word, ignoreCase: true, out SceneShape shape))
            {
                return new SceneWord(word, start, WordKind.Noun, IdsOf(objects, item => item.Shape == shape));
            }

            if (Enum.TryParse(word, ignoreCase: true, out SceneColor color))
            {
                return new SceneWord(word, start, WordKind.Colour, IdsOf(objects, item => item.Color == color));
            }
        }

        return new SceneWord(word, start, WordKind.Function, []);
    }

    private static int[] IdsOf(IReadOnlyList<SceneObject> objects, Func<SceneObject, bool> isMeant) =>
        [.. objects.Where(isMeant).Select(item => item.Id)];

    private static string Caption(IReadOnlyList<SceneObject> objects, int size)
    {
        var first = Upper(Name(objects[0]));
        if (objects.Count == 1)
        {
            return $"{first} {PlaceOf(objects[0], size)}.";
        }

        if (objects.Count == 2)
        {
            var relation = SceneLayout.IsSideBySide(objects[0], objects[1]) ? "to the left of" : "above";
            return $"{first} {relation} {Name(objects[1])}.";
        }

        var middle = objects.Skip(1).SkipLast(1).Select(item => $", {Name(item)}");
        return $"{first}{string.Concat(middle)} and {Name(objects[^1])}.";
    }

    private static string PlaceOf(SceneObject item, int size)
    {
        var down =
            item.CenterY < size * 0.375 ? "top"
            : item.CenterY > size * 0.625 ? "bottom"
            : "";
        var across =
            item.CenterX < size * 0.375 ? "left"
            : item.CenterX > size * 0.625 ? "right"
            : "";
        return (down, across) switch
        {
            ("", "") => "in the center",
            ("", _) => $"on the {across}",
            (_, "") => $"at the {down}",
            _ => $"in the {down} {across}",
        };
    }

    /// <summary>Asks for the other one of a pair, where it is clearly on that side.</summary>
    private static void AddRelation(
        List<SceneQuestion> questions,
        IReadOnlyList<SceneObject> objects,
        int size,
        ref SceneRandom random
    )
    {
        var clear = 40 / SceneLayout.BaseSize * size;
        var possible = new List<(string Prompt, string Answer)>();
        foreach (var (target, other) in new[] { (objects[0], objects[1]), (objects[1], objects[0]) })
        {
            var (right, down) = (other.CenterX - target.CenterX, other.CenterY - target.CenterY);
            double[] distances = [-right, right, -down, down];
            possible.AddRange(
                from relation in Relations.Index()
                where distances[relation.Index] > clear
                select ($"What is {relation.Item} the {target.Adjective} {target.Noun}?", $"{Upper(Name(other))}.")
            );
        }

        if (possible.Count > 0)
        {
            var (prompt, answer) = random.Pick(possible);
            questions.Add(Ask(QuestionKind.Relation, prompt, answer, objects));
        }
    }

    private static void AddCount(
        List<SceneQuestion> questions,
        IReadOnlyList<SceneObject> objects,
        ref SceneRandom random
    )
    {
        const int StrangerPercent = 20;
        var model = random.Pick(objects);
        var isStranger = random.Chance(StrangerPercent);
        var shape = isStranger ? random.Pick(Enum.GetValues<SceneShape>()) : model.Shape;
        var color = isStranger ? random.Pick(Enum.GetValues<SceneColor>()) : model.Color;
        var (kind, count) = random.Next(3) switch
        {
            0 => ("objects", objects.Count),
            1 => ($"{color.ToString().ToLowerInvariant()} objects", objects.Count(item => item.Color == color)),
            _ => (Plural(shape), objects.Count(item => item.Shape == shape)),
        };
        var answer = $"There {(count == 1 ? "is" : "are")} {Numbers[count]}.";
        questions.Add(Ask(QuestionKind.Count, $"How many {kind} are there?", answer, objects));
    }

    private static void AddColor(
        List<SceneQuestion> questions,
        IReadOnlyList<SceneObject> objects,
        ref SceneRandom random
    )
    {
        SceneObject[] unique = [.. objects.Where(item => objects.Count(other => other.Shape == item.Shape) == 1)];
        if (unique.Length > 0)
        {
            var item = random.Pick(unique);
            var answer = $"The {item.Noun} is {item.Adjective}.";
            questions.Add(Ask(QuestionKind.Color, $"What color is the {item.Noun}?", answer, objects));
        }
    }

    private static string Name(SceneObject item) =>
        $"{(item.Color == SceneColor.Orange ? "an" : "a")} {item.Adjective} {item.Noun}";

    private static string Plural(SceneShape shape) =>
        shape.ToString().ToLowerInvariant() + (shape == SceneShape.Cross ? "es" : "s");

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
