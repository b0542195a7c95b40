using ImageMagick;

namespace Tamx.Evaluation.Tests;

public sealed class PictureFolderTests
{
    [Fact]
    public void Samples_List_AreAsTheFolderSays()
    {
        using var folder = HandMadeFolder.WithList();

        var pictures = PictureFolder.Open(folder.Path);
        EvaluationSample[] samples = [.. pictures.Samples()];

        Assert.Equal(5, pictures.Count);
        Assert.Equal(
            ["pictures/0.png", "pictures/1.png", "pictures/2.png", "pictures/3.png", "pictures/4.png"],
            samples.Select(sample => sample.Name)
        );
        Assert.All(
            samples,
            sample => Assert.Equal("Write a description for this image using around two sentences:", sample.Prompt)
        );
        Assert.All(
            samples,
            sample => Assert.Equal([new(1, "dog"), new(2, "cat"), new(3, "grass field")], sample.Categories)
        );
        Assert.All(samples, sample => Assert.Equal((64, 64), (sample.Labels.Width, sample.Labels.Height)));
        Assert.Equal(4 * 256, samples[0].Labels.MaskOf([1]).Count);
        Assert.Equal(2 * 256, samples[0].Labels.MaskOf([2]).Count);
    }

    [Fact]
    public void Samples_Coco_AreAsTheFolderSays()
    {
        using var folder = HandMadeFolder.AsCoco();

        EvaluationSample[] samples = [.. PictureFolder.Open(folder.Path).Samples()];

        Assert.Equal(
            ["000000000100", "000000000101", "000000000102", "000000000103", "000000000104"],
            samples.Select(sample => sample.Name)
        );
        Assert.All(samples, sample => Assert.Equal("Write a one-sentence caption for this image:", sample.Prompt));
        Assert.All(
            samples,
            sample => Assert.Equal([new(1, "dog"), new(2, "cat"), new(3, "grass field")], sample.Categories)
        );
    }

    [Fact]
    public void Samples_CategoriesFileAndPrompt_GoBeforeTheFolders()
    {
        using var folder = HandMadeFolder.AsCoco();
        folder.Write(
            "categories.json",
            new
            {
                puppy = 1,
                kitten = 2,
                lawn = 3,
            }
        );

        var sample = PictureFolder.Open(folder.Path).Samples("What?").First();

        Assert.Equal("What?", sample.Prompt);
        Assert.Equal([new(1, "puppy"), new(2, "kitten"), new(3, "lawn")], sample.Categories);
    }

    [Fact]
    public void LabelMap_AllGreyValues_ComeBackAsTheyAre()
    {
        using var folder = new Testing.TemporaryFolder();
        byte[] labels = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        using var image = new MagickImage();
        image.ReadPixels(labels, new PixelReadSettings(16, 16, StorageType.Char, "R"));
        File.WriteAllBytes(folder.File("labels.png"), image.ToByteArray(MagickFormat.Png));

        Assert.Equal(labels, LabelMap.Open(folder.File("labels.png")).Labels);
    }

    /// <summary>
    /// The answers below with maps that light whole cells, computed by hand from the protocol. Cell maps are stretched
    /// bilinearly, so the IoU of a lit region is not 1; picture 1, all grass, and empty maps give whole numbers, and
    /// the rest is checked against what single steps give.
    /// </summary>
    [Fact]
    public void Summary_FivePictures_IsAsDerivedByHand()
    {
        using var folder = HandMadeFolder.WithList();
        EvaluationSample[] samples = [.. PictureFolder.Open(folder.Path).Samples()];
        (string[] Tokens, string[] Maps)[] answers =
        [
            // Half of the dog's cells, all of them empty for the cat; "A" below both thresholds but in one cell.
            (["A", " dog", "."], ["9000 0000 0000 0000", "0000 0000 0000 0000", "0000 0000 0000 0000"]),
            (["Grass", "."], ["5555 5555 5555 5555", "0000 0000 0000 0000"]),
            (["The", " cat", "."], ["9999 9999 0000 0000", "1000 0000 0000 0000", "0000 0000 0000 0000"]),
            (["Empty", "."], ["1111 1111 1111 1111", "0000 0000 0000 0000"]),
            (
                ["Grass", " and", " grass", "."],
                ["0000 0000 0000 0000", "0000 0000 0000 0000", "0000 0000 0000 0000", "0000 0000 0000 0000"]
            ),
        ];

        var results = samples.Zip(answers, (sample, answer) => Score(sample, answer.Tokens, answer.Maps)).ToArray();
        var summary = EvaluationSummary.Of(results, new EvaluationOptions { Kinds = [MapKind.Raw] });

        // Nouns that the pictures hold: "dog" with an empty map (0), "Grass" with a uniform map on a picture of grass
        // (1). Function words: "A" with one cell of 16 not below the threshold 0 of an empty map, but no cell is below
        // 0 either: 0. "The": the threshold is that of the cat's map, though there is no cat: a map of 0 and 28 has
        // threshold 0 before stretching; after it the levels are many and the threshold is t with 0 < t < 28, so the 8
        // cells of 0 are below and those of 255 are not: 1/2. "and": no cell is below 0: 0.
        var paper = Assert.Single(summary.Paper).Figures;
        Assert.Equal([0.0], results[0].Paper[0].Figures.ObjIou);
        Assert.Equal([1.0], results[1].Paper[0].Figures.ObjIou);
        Assert.All(results[2..], result => Assert.Empty(result.Paper[0].Figures.ObjIou));
        Assert.Equal([0.0], results[0].Paper[0].Figures.FuncIou);
        Assert.Equal([0.5], results[2].Paper[0].Figures.FuncIou);
        Assert.Equal([0.0], results[4].Paper[0].Figures.FuncIou);
        Assert.Equal((1 + 0) / 2.0, paper.ObjIou);
        Assert.Equal((0 + 0.5 + 0) / 3.0, paper.FuncIou!.Value, 1e-15);
        Assert.Equal(2 * (1 / 2.0) * (1 / 6.0) / ((1 / 2.0) + (1 / 6.0)), paper.F1Iou!.Value, 1e-15);
        Assert.Equal(0.5, paper.Precision);
        Assert.Equal(0.5, paper.Recall);

        // Our own rows: the same two nouns; pointing and mass 0 and 1, areas 1/4 and 1; one of two maps empty.
        var nouns = Assert.Single(summary.Rows, row => row.Words == WordKind.Noun);
        Assert.Equal(
            (2, 0.5, 0.5, 0.5, 0.625, 0.5),
            (nouns.Count, nouns.ObjIou, nouns.Pointing, nouns.Mass, nouns.Area, nouns.Empty)
        );

        // Function words on pictures that hold anything: "A" (its cell is the dog's), "The" (half of its 8 cells are in
        // rows 0 and 1, 2 of them on the dog), "and" (empty).
        var functions = Assert.Single(summary.Rows, row => row.Words == WordKind.Function);
        Assert.Equal(3, functions.Count);
        Assert.Equal((1 + (2 / 8.0) + 0) / 3, functions.Pointing, 1e-12);
        Assert.Equal((1 + (2 / 8.0) + 0) / 3, functions.Mass, 1e-9);
        Assert.Equal((6 + 4 + 8) / 16.0 / 3, functions.Area, 1e-12);
        Assert.Equal(1 / 3.0, functions.Empty, 1e-12);
        Assert.Null(summary.CaptionsExact);
        Assert.Equal(5, summary.Scenes);
    }

    [Fact]
    public void Open_BadFolder_SaysWhatIsWrong()
    {
        using var folder = HandMadeFolder.WithList();
        var categories = new Dictionary<string, int> { ["dog"] = 1 };
        AssertRefused("there is no such folder", folder.File("none"));
        AssertRefused("neither anno.json nor", folder.File("masks"));

        AssertRefusedList("name no picture");
        AssertRefusedList("entry 1 is not", "picture");
        AssertRefusedList("entry 1 is not", (object)new object[] { "pictures/0.png", "A caption." });
        AssertRefusedList(
            "label map masks/9.png is missing",
            (object)new object[] { "pictures/0.png", "", "masks/9.png", categories }
        );
        AssertRefusedList(
            "picture pictures/9.png is missing",
            (object)new object[] { "pictures/9.png", "", "masks/0.png", categories }
        );
        AssertRefusedList(
            "there are no categories",
            (object)new object[] { "pictures/0.png", "", "masks/0.png", new { } }
        );
        AssertRefusedList(
            "\"dog\" has label 0",
            (object)new object[] { "pictures/0.png", "", "masks/0.png", new { dog = 0 } }
        );
        AssertRefusedList(
            "does not lie in the folder",
            (object)new object[] { "../0.png", "", "masks/0.png", categories }
        );
        AssertRefusedList(
            "twice",
            new object[] { "pictures/0.png", "", "masks/0.png", categories },
            new object[] { "pictures/0.png", "", "masks/0.png", categories }
        );
        File.WriteAllText(folder.File("anno.json"), "[[1,");
        AssertRefused("no readable JSON", folder.Path);
        File.WriteAllBytes(folder.File("anno.json"), [.. "[[\"caf"u8, 0xE9, .. "\"]]"u8]);
        AssertRefused("is no UTF-8: byte 0xE9 (line 1, byte 7)", folder.Path);
        File.WriteAllText(folder.File("anno.json"), "[[\"\\udfff\"]]");
        AssertRefused("half a surrogate pair", folder.Path);

        void AssertRefusedList(string message, params object[] entries)
        {
            folder.WriteList(entries);
            AssertRefused(message, folder.Path);
        }
    }

    [Fact]
    public void Open_CocoWithoutCategories_SaysWhatIsWrong()
    {
        using var folder = HandMadeFolder.AsCoco();
        folder.Write("annotations/instances_tiny.json", new { images = new[] { new { id = 100 } } });

        AssertRefused("categories.json", folder.Path);
    }

    [Fact]
    public void Samples_BadLabelMap_SaysWhatIsWrong()
    {
        using var folder = HandMadeFolder.WithList();
        folder.WriteGrey("masks/0.png", [.. Enumerable.Repeat((byte)9, 16)]);
        AssertFirstRefused("label 9 has no category");

        folder.WriteGrey("masks/0.png", [.. Enumerable.Repeat((byte)255, 16)]);
        Assert.Equal(255, PictureFolder.Open(folder.Path).Samples().First().Labels.Labels[0]);

        using (var coloured = new MagickImage(MagickColors.Red, 64, 64))
        {
            File.WriteAllBytes(folder.File("masks/0.png"), coloured.ToByteArray(MagickFormat.Png24));
            AssertFirstRefused("has a coloured pixel at 0, 0");
            File.WriteAllBytes(folder.File("masks/0.png"), coloured.ToByteArray(MagickFormat.Jpeg));
            AssertFirstRefused("is no PNG");
        }

        File.WriteAllText(folder.File("masks/0.png"), "none");
        AssertFirstRefused("masks/0.png");

        void AssertFirstRefused(string message) =>
            Assert.Contains(
                message,
                Assert
                    .ThrowsAny<InvalidInputException>(() => PictureFolder.Open(folder.Path).Samples().First())
                    .Message,
                StringComparison.Ordinal
            );
    }

    private static SampleResult Score(EvaluationSample sample, string[] tokens, string[] maps)
    {
        var scorer = new SampleScorer(
            sample,
            AnswerWord.Group(tokens),
            new PatchGrid(1, HandMadeFolder.Cells, HandMadeFolder.Cells)
        );
        float[][] values = [.. maps.Select(map => map.Where(c => c != ' ').Select(c => (c - '0') / 9f).ToArray())];
        return new SampleResult(
            sample.Name,
            sample.Prompt,
            string.Concat(tokens),
            null,
            [.. scorer.Score(MapSource.LastLayer, MapKind.Raw, values)],
            [new(MapKind.Raw, scorer.ScoreAsPaper(values))],
            null
        );
    }

    private static void AssertRefused(string message, string folder)
    {
        var exception = Assert.ThrowsAny<InvalidInputException>(() => PictureFolder.Open(folder));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
