namespace Tamx.Evaluation.Tests;

/// <summary>
/// The paper's protocol on cases small enough to follow by hand: the picture has one pixel per cell, 2 x 4.
/// </summary>
public sealed class PaperProtocolTests
{
    private const int Dog = 1;
    private const int Cat = 2;
    private const int Bird = 3;

    // dog dog  0  0
    //  0  cat cat 0
    private static readonly LabelMap Truth = new(4, 2, [Dog, Dog, 0, 0, 0, Cat, Cat, 0]);

    private static readonly LabelledCategory[] Categories = [new(Dog, "dog"), new(Cat, "cat"), new(Bird, "bird")];

    // Otsu's threshold of a map with the values a < b alone is a.
    private static readonly byte[] DogExactly = [200, 200, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] DogHalf = [200, 20, 20, 20, 20, 20, 20, 20];
    private static readonly byte[] CatAndOne = [10, 10, 10, 10, 10, 90, 90, 90];
    private static readonly byte[] Nothing = [0, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    public void Label_Words_TellsCategoriesNounsAndFunctionWords() =>
        Assert.Equal(
            [PaperLabel.Function, Dog, PaperLabel.Other, PaperLabel.Other, PaperLabel.OtherNoun, PaperLabel.Other],
            PaperProtocol.Label(AnswerWord.Group(["The", " dogs", " sit", " on", " sofas", "."]), Categories)
        );

    [Fact]
    public void Label_TwoCategoriesFit_TakesTheLast() =>
        Assert.Equal(
            [5],
            PaperProtocol.Label(AnswerWord.Group(["light"]), [new(4, "traffic light"), new(5, "light"), new(6, "lamp")])
        );

    /// <summary>IoUs 1 and 2/3; thresholds 0 and 10, mean 5: of "the" all 8 cells but 3 are below it.</summary>
    [Fact]
    public void Evaluate_TwoNounsAndAFunctionWord_GivesHandComputedFigures()
    {
        var figures = Evaluate([("the", [4, 5, 6, 0, 0, 0, 0, 60]), ("dog", DogExactly), ("cat", CatAndOne)]);

        Assert.Equal([1, 2 / 3.0], figures.ObjIou);
        Assert.Equal([1, 2 / 3.0], figures.Precision);
        Assert.Equal([1, 1], figures.Recall);
        Assert.Equal([5 / 8.0], figures.FuncIou);
    }

    /// <summary>
    /// "dog" in two tokens of IoU 1/2 and 1: the better one counts; its threshold is the larger of the two, 20, which 7
    /// of 8 cells of "the" are below.
    /// </summary>
    [Fact]
    public void Evaluate_WordOfTwoTokens_TakesTheBetterAndTheLargerThreshold()
    {
        var words = AnswerWord.Group(["the", " d", "og"]);

        var figures = PaperProtocol.Evaluate(
            words,
            PaperProtocol.Label(words, Categories),
            [
                [20, 0, 0, 0, 0, 0, 0, 19],
                DogHalf,
                DogExactly,
            ],
            2,
            4,
            Truth
        );

        Assert.Equal([1.0], figures.ObjIou);
        Assert.Equal([7 / 8.0], figures.FuncIou);
    }

    /// <summary>Two words of one category in a row count once, with the better IoU; apart they count twice.</summary>
    [Fact]
    public void Evaluate_SameCategoryInARow_CountsOnce()
    {
        Assert.Equal([1.0], Evaluate([("dog", DogHalf), ("dogs", DogExactly)]).ObjIou);
        Assert.Equal([1.0], Evaluate([("dog", DogExactly), ("dogs", DogHalf)]).ObjIou);
        Assert.Equal([1.0], Evaluate([("dog", DogHalf), ("dogs", DogExactly)]).Precision);
        Assert.Equal([0.5, 1], Evaluate([("dog", DogHalf), ("a", Nothing), ("dogs", DogExactly)]).ObjIou);
    }

    /// <summary>
    /// The protocol's slip: two words of a category that is not in the picture merge the IoUs of the words before them.
    /// </summary>
    [Fact]
    public void Evaluate_AbsentCategoryTwiceInARow_MergesEarlierWords() =>
        Assert.Equal(
            [1.0],
            Evaluate([("dog", DogExactly), ("cat", CatAndOne), ("bird", Nothing), ("birds", Nothing)]).ObjIou
        );

    /// <summary>An absent category and a noun without one give no IoU but thresholds: (20 + 10) / 2 = 15.</summary>
    [Fact]
    public void Evaluate_NounsWithoutMask_CountForTheThresholdAlone()
    {
        var figures = Evaluate([("bird", DogHalf), ("sofa", CatAndOne), ("the", [14, 15, 16, 0, 0, 0, 0, 0])]);

        Assert.Empty(figures.ObjIou);
        Assert.Equal([6 / 8.0], figures.FuncIou);
    }

    [Fact]
    public void Evaluate_NoNoun_HasNoThresholdAndNoFigures() => Assert.Empty(Evaluate([("the", DogHalf)]).FuncIou);

    [Fact]
    public void Evaluate_EmptyMap_ScoresZeroAndNotNaN()
    {
        var figures = Evaluate([("dog", Nothing)]);

        Assert.Equal([0.0], figures.ObjIou);
        Assert.Equal([0.0], figures.Precision);
    }

    /// <summary>
    /// Means over words, not over pictures: (1 + 1/2 + 0) / 3 = 1/2 and 3/4; F1 = 2 x 3/8 / (5/4) = 3/5.
    /// </summary>
    [Fact]
    public void Summarize_Pictures_AveragesOverWords()
    {
        var summary = PaperProtocol.Summarize([
            new([1, 0.5], [1, 1], [1, 0.5], [0.5]),
            new([0], [0], [0], [1]),
            new([], [], [], []),
        ]);

        Assert.Equal(0.5, summary.ObjIou);
        Assert.Equal(0.75, summary.FuncIou);
        Assert.Equal(0.6, summary.F1Iou!.Value, 1e-15);
        Assert.Equal(2 / 3.0, summary.Precision);
        Assert.Equal(0.5, summary.Recall);
    }

    [Fact]
    public void Summarize_NoWords_IsNullAndNotNaN() =>
        Assert.Equal(new PaperSummary(null, null, null, null, null), PaperProtocol.Summarize([]));

    private static PaperFigures Evaluate((string Text, byte[] Map)[] tokens)
    {
        var words = AnswerWord.Group([.. tokens.Select(token => " " + token.Text)]);
        return PaperProtocol.Evaluate(
            words,
            PaperProtocol.Label(words, Categories),
            [.. tokens.Select(token => token.Map)],
            2,
            4,
            Truth
        );
    }
}
