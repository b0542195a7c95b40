namespace Tamx.Evaluation.Tests;

public sealed class WordTests
{
    [Theory]
    [InlineData("cat", "cat")]
    [InlineData("Cats", "cat")]
    [InlineData("buses", "bus")]
    [InlineData("bus", "bus")]
    [InlineData("glasses", "glass")]
    [InlineData("horses", "horse")]
    [InlineData("vases", "vase")]
    [InlineData("boxes", "box")]
    [InlineData("benches", "bench")]
    [InlineData("dishes", "dish")]
    [InlineData("babies", "baby")]
    [InlineData("potatoes", "potato")]
    [InlineData("shoes", "shoe")]
    [InlineData("leaves", "leaf")]
    [InlineData("gloves", "glove")]
    [InlineData("knives", "knife")]
    [InlineData("women", "woman")]
    [InlineData("firemen", "fireman")]
    [InlineData("children", "child")]
    [InlineData("skis", "ski")]
    [InlineData("scissors", "scissors")]
    [InlineData("t-shirts", "tshirt")]
    [InlineData("gizmos", "gizmo")]
    [InlineData("virus", "virus")]
    [InlineData("grass", "grass")]
    public void Singular_Noun_GivesItsOneForm(string word, string expected) =>
        Assert.Equal(expected, NounForms.Singular(word));

    [Theory]
    [InlineData("traffic light", "lights", true)]
    [InlineData("person", "people", false)]
    [InlineData("bus", "Buses", true)]
    [InlineData("car", "carpet", false)]
    public void Matches_CategoryAndWord_ComparesWordByWord(string category, string word, bool expected) =>
        Assert.Equal(expected, NounForms.Matches(category, word));

    [Fact]
    public void Lists_Always_HaveNothingInCommon()
    {
        Assert.Empty(WordLists.Function.Intersect(WordLists.Nouns));
        Assert.True(WordLists.Function.Count > 90);
        Assert.True(WordLists.Nouns.Count > 900);
        Assert.All(WordLists.Nouns, noun => Assert.Equal(noun, NounForms.Singular(noun)));
        Assert.All(["The", "and", "there", "which", "'s"], word => Assert.True(WordLists.IsFunctionWord(word)));
        Assert.All(
            ["of", "on", "two", "is", "red"],
            word => Assert.False(WordLists.IsFunctionWord(word) || WordLists.IsNoun(word))
        );
    }

    [Fact]
    public void Match_ExpectedWords_ScoresOnlyWhatTheModelWroteToo()
    {
        ExpectedWord[] expected =
        [
            new("A", WordKind.Function, []),
            new("red", WordKind.Colour, [1, 2]),
            new("circle", WordKind.Noun, [1]),
            new("above", WordKind.Function, []),
            new("a", WordKind.Function, []),
            new("red", WordKind.Colour, [1, 2]),
            new("star", WordKind.Noun, [2]),
        ];
        var words = AnswerWord.Group(["A", " red", " square", " above", " a", " large", " red", " star", "."]);

        var matched = WordMatching.Match(words, Sample() with { Words = expected });

        Assert.Equal(["A", "red", "above", "a", "red", "star"], matched.Select(word => word.Word.Text));
        Assert.Equal([0, 1, 3, 4, 6, 7], matched.Select(word => word.Word.TokenIndices[0]));
        Assert.Equal([2], matched[^1].Labels);
    }

    [Fact]
    public void Match_Categories_TakesNounsOfCategoriesAndFunctionWords()
    {
        var words = AnswerWord.Group(["The", " dogs", " sit", " on", " a", " sofa", "."]);

        var matched = WordMatching.Match(
            words,
            Sample() with
            {
                Categories = [new(3, "dog"), new(7, "traffic light")],
            }
        );

        Assert.Equal(
            [("The", WordKind.Function), ("dogs", WordKind.Noun), ("a", WordKind.Function)],
            matched.Select(word => (word.Word.Text, word.Kind))
        );
        Assert.Equal([3], matched[1].Labels);
    }

    private static EvaluationSample Sample() =>
        new()
        {
            Name = "sample",
            Picture = new Llama.Chat.ImagePart(Array.Empty<byte>(), "none"),
            Prompt = "What?",
            Labels = new LabelMap(1, 1, [0]),
        };
}
