using System.Text.RegularExpressions;
using Tamx.Evaluation.Scenes;

namespace Tamx.Evaluation.Tests.Scenes;

/// <summary>Every answer is worked out again from the objects' places, in another way than the generator's.</summary>
public sealed partial class QuestionTests
{
    private const double Clear = 40;

    private static readonly Scene[] Scenes = [.. Enumerable.Range(0, 400).Select(i => Scene.Generate(78, i))];

    [Fact]
    public void Describe_EveryScene_NamesItsObjectsInOrder()
    {
        foreach (var scene in Scenes)
        {
            var question = scene.Questions[0];
            Assert.Equal("Describe this image.", question.Prompt);
            string[] named = [.. NamePattern().Matches(question.Answer).Select(match => match.Groups[1].Value)];
            Assert.Equal(scene.Objects.Select(item => $"{item.Adjective} {item.Noun}"), named);
            Assert.Equal(named.Length, named.Distinct().Count());
        }
    }

    [Fact]
    public void Describe_TwoObjects_RelationIsPlain()
    {
        foreach (var scene in Scenes.Where(scene => scene.Objects.Count == 2))
        {
            (var first, var second) = (scene.Objects[0], scene.Objects[1]);
            (var right, var down) = (second.CenterX - first.CenterX, second.CenterY - first.CenterY);
            Assert.True(
                scene.Questions[0].Answer.Contains(" to the left of ", StringComparison.Ordinal)
                    ? right > Math.Abs(down) + Clear
                    : scene.Questions[0].Answer.Contains(" above ", StringComparison.Ordinal)
                        && down > Math.Abs(right) + Clear
            );
        }
    }

    [Fact]
    public void Describe_ManyObjects_AreOrderedByColorThenShape()
    {
        foreach (var scene in Scenes.Where(scene => scene.Objects.Count > 2))
        {
            Assert.All(
                scene.Objects.Zip(scene.Objects.Skip(1)),
                pair =>
                    Assert.True(
                        pair.First.Color < pair.Second.Color
                            || (pair.First.Color == pair.Second.Color && pair.First.Shape < pair.Second.Shape)
                    )
            );
        }
    }

    [Fact]
    public void Describe_OneObject_PlaceIsPlain()
    {
        foreach (var scene in Scenes.Where(scene => scene.Objects.Count == 1))
        {
            (var x, var y) = (scene.Objects[0].CenterX, scene.Objects[0].CenterY);
            var caption = scene.Questions[0].Answer;
            Assert.Equal(x < 144, caption.Contains(" left", StringComparison.Ordinal));
            Assert.Equal(x > 240, caption.Contains(" right", StringComparison.Ordinal));
            Assert.Equal(y < 144, caption.Contains(" top", StringComparison.Ordinal));
            Assert.Equal(y > 240, caption.Contains(" bottom", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Relation_EveryPair_TheOtherObjectIsThere()
    {
        var asked = 0;
        foreach ((var scene, var question) in Asked(QuestionKind.Relation))
        {
            asked++;
            var match = RelationPattern().Match(question.Prompt);
            var target = Assert.Single(scene.Objects, item => $"{item.Adjective} {item.Noun}" == match.Groups[2].Value);
            Func<SceneObject, double> distance = match.Groups[1].Value switch
            {
                "left of" => item => target.CenterX - item.CenterX,
                "right of" => item => item.CenterX - target.CenterX,
                "above" => item => target.CenterY - item.CenterY,
                _ => item => item.CenterY - target.CenterY,
            };
            var there = Assert.Single(scene.Objects, item => distance(item) > 0);
            Assert.True(distance(there) > Clear);
            Assert.EndsWith($" {there.Adjective} {there.Noun}.", question.Answer, StringComparison.Ordinal);
        }

        Assert.True(asked > 80);
    }

    [Fact]
    public void Count_EveryScene_IsRight()
    {
        string[] numbers = ["none", "one", "two", "three", "four"];
        HashSet<string> seen = [];
        foreach ((var scene, var question) in Asked(QuestionKind.Count))
        {
            var kind = CountPattern().Match(question.Prompt).Groups[1].Value.Split(' ');
            var count = kind switch
            {
                ["objects"] => scene.Objects.Count,
                [var color, "objects"] => scene.Objects.Count(item => item.Adjective == color),
                [var plural] => scene.Objects.Count(item => plural.StartsWith(item.Noun, StringComparison.Ordinal)),
                _ => -1,
            };
            Assert.Equal($"There {(count == 1 ? "is" : "are")} {numbers[count]}.", question.Answer);
            seen.Add(question.Answer);
        }

        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public void Color_EveryScene_IsTheOnlySuchObjects()
    {
        foreach ((var scene, var question) in Asked(QuestionKind.Color))
        {
            SceneObject item = Assert.Single(
                scene.Objects,
                item => question.Prompt == $"What color is the {item.Noun}?"
            );
            Assert.Equal($"The {item.Noun} is {item.Adjective}.", question.Answer);
        }
    }

    [Fact]
    public void Words_EveryAnswer_AreMarkedWithAllTheirObjects()
    {
        foreach (var scene in Scenes)
        {
            foreach (var question in scene.Questions)
            {
                Assert.Equal(
                    WordPattern().Matches(question.Answer).Select(match => (match.Value, match.Index)),
                    question.Words.Select(word => (word.Text, word.Start))
                );
                foreach (var word in question.Words)
                {
                    int[] bearers =
                    [
                        .. scene
                            .Objects.Where(item => item.Noun == word.Text || item.Adjective == word.Text)
                            .Select(item => item.Id),
                    ];
                    Assert.Equal(bearers, word.ObjectIds);
                    Assert.Equal(bearers.Length == 0, word.Kind == WordKind.Function);
                    var isNoun = scene.Objects.Any(item => item.Noun == word.Text);
                    Assert.Equal(isNoun, word.Kind == WordKind.Noun);
                }
            }
        }
    }

    private static IEnumerable<(Scene Scene, SceneQuestion Question)> Asked(QuestionKind kind) =>
        Scenes.SelectMany(scene =>
            scene.Questions.Where(question => question.Kind == kind).Select(question => (scene, question))
        );

    [GeneratedRegex(@"[Aa]n? (\w+ \w+)")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^What is (left of|right of|above|below) the (\w+ \w+)\?$")]
    private static partial Regex RelationPattern();

    [GeneratedRegex(@"^How many ([a-z ]+) are there\?$")]
    private static partial Regex CountPattern();

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex WordPattern();
}
