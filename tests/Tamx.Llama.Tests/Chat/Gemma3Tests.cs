using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>
/// What Gemma 3 has of its own: its turns, SentencePiece's tokens, and pictures whose cells see each other.
/// </summary>
public sealed class Gemma3Tests
{
    private const string Cells = "<start_of_image><pad><end_of_image>";

    private static readonly ImagePart Image = TestPictures.Gradient(64, 40);

    private static VisionLanguageModel Model => LoadedModels.Get(TestModels.Get("gemma3"));

    /// <summary>The published template's, with the processor's line feeds around a picture.</summary>
    public static TheoryData<string, string> Published =>
        new()
        {
            { "user", "<start_of_turn>user\nHi<end_of_turn>\n" },
            { "system", "<start_of_turn>user\nBe brief. \n\nHi<end_of_turn>\n" },
            {
                "several",
                "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nWell?<end_of_turn>\n"
                    + "<start_of_turn>user\nWhat?<end_of_turn>\n"
            },
            { "picture", $"<start_of_turn>user\n\n\n{Cells}\n\nWhat is it?<end_of_turn>\n" },
            { "pictures", $"<start_of_turn>user\nOne:\n\n{Cells}\n\ntwo:\n\n{Cells}\n\n<end_of_turn>\n" },
        };

    [Theory]
    [MemberData(nameof(Published))]
    public void Format_Conversation_IsThePublishedTemplates(string name, string expected)
    {
        ChatTurn[] messages = name switch
        {
            "user" => [new(TurnRole.User, " Hi\n")],
            "system" => [new(TurnRole.System, "Be brief. "), new(TurnRole.User, "Hi")],
            "several" => [new(TurnRole.User, "Hi"), new(TurnRole.Assistant, "\nWell? "), new(TurnRole.User, "What?")],
            "picture" => [new(TurnRole.User, [Image, new TextPart(" What is it? ")])],
            "pictures" => [new(TurnRole.User, [new TextPart("One: "), Image, new TextPart(" two:"), Image])],
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
        foreach (var template in (string?[])[null, RandomModel.Gemma3Template])
        {
            Assert.Equal(
                expected + "<start_of_turn>model\n",
                ChatTemplate.For(template, ModelArchitecture.Gemma3).Format(messages).Replace("<bos>", "")
            );
        }
    }

    [Theory]
    [InlineData("two of the user", "message 1 is out of turn")]
    [InlineData("the assistant first", "message 0 is out of turn")]
    [InlineData("a late system", "message 1 is out of turn")]
    [InlineData("a picture of the system", "holds more than text")]
    public void Format_MessagesThatTheTemplateRefuses_AreNamed(string what, string message)
    {
        ChatTurn user = new(TurnRole.User, "Hi");
        ChatTurn[] messages = what switch
        {
            "two of the user" => [user, user],
            "the assistant first" => [new(TurnRole.Assistant, "Hi"), user],
            "a late system" => [user, new(TurnRole.System, "Be brief.")],
            _ => [new(TurnRole.System, [Image]), user],
        };

        Assert.Contains(
            message,
            Assert
                .Throws<InvalidInputException>(() => ChatTemplate.For(null, ModelArchitecture.Gemma3).Format(messages))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CreateCompletion_Picture_StandsBetweenItsMarkersAfterOneBegin()
    {
        var vocabulary = Model.Vocabulary;
        using var completion = Model.CreateCompletion([new(TurnRole.User, [Image, new TextPart("What is it?")])]);
        int[] Ids(string text) => vocabulary.Tokenize(text, parseMarkers: true);
        var cells = Enumerable.Repeat(vocabulary.FindId("<pad>"), 25);

        Assert.Equal(
            [
                .. Ids("<bos><start_of_turn>user"),
                vocabulary.FindId("\n\n\n"),
                vocabulary.FindId("<start_of_image>"),
                .. cells,
                vocabulary.FindId("<end_of_image>"),
                vocabulary.FindId("\n\n"),
                .. Ids("What is it?<end_of_turn>\n<start_of_turn>model\n"),
            ],
            completion.TokenIds.ToArray()
        );
        var picture = Assert.Single(completion.Pictures);
        Assert.Equal((5, 5), (picture.Columns, picture.Rows));
    }

    /// <summary>What the last cell shows reaches the first cell's state, which no causal model can do.</summary>
    [Theory]
    [InlineData("gemma3", true)]
    [InlineData("internvl3", false)]
    public async Task PrefillAsync_LastCellsPicture_ReachesTheFirstCellOnlyInOneBlock(string name, bool reaches)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var embeddings = new float[25 * model.Facts.HiddenSize];
        for (var i = 0; i < embeddings.Length; i++)
        {
            embeddings[i] = MathF.Sin(i);
        }

        var other = embeddings.ToArray();
        other.AsSpan(24 * model.Facts.HiddenSize).Fill(0.5f);
        var states = await Task.WhenAll(StatesOf(embeddings), StatesOf(other));
        var difference = states[0].Zip(states[1], (one, two) => Math.Abs(one - two)).Max();

        Assert.Equal(reaches, difference > 1e-3);

        async Task<float[]> StatesOf(float[] cells)
        {
            await Task.Yield();
            using var cancelled = new UnmanagedState<int>();
            using var decoder = new SequenceDecoder(
                model,
                new CompletionOptions { BatchSize = 4 },
                256,
                40,
                64,
                cancelled
            );
            var patch = new PatchChunk(140, 140, 5, 5, 0, EndsBlock: true, UsesMrope: false, name != "gemma3");
            decoder.Decode(patch, cells, () => { });
            return decoder.HiddenStates[..model.Facts.HiddenSize].ToArray();
        }
    }

    /// <summary>Names of markers in what people say are text; line feeds and tags are tokens in any text.</summary>
    [Fact]
    public void Tokenize_TextWithMarkers_HasNone()
    {
        var vocabulary = Model.Vocabulary;
        foreach (var marker in vocabulary.Markers.All.Append("<eos>"))
        {
            var id = vocabulary.FindId(marker);
            var text = $"a red {marker}cup{marker}";
            Assert.DoesNotContain(id, vocabulary.Tokenize(text));
            Assert.DoesNotContain(vocabulary.Markers.All.Contains(marker) ? id : -1, Spoken(text));
            Assert.Equal(text, TextOf(vocabulary.Tokenize(text)));
            Assert.Equal(text, TextOf(Spoken(text)));
        }

        Assert.Equal([vocabulary.FindId("\n\n"), vocabulary.FindId("<table>")], vocabulary.Tokenize("\n\n<table>"));

        int[] Spoken(string text) => vocabulary.Tokenize(text, SpecialTokens.Answer);
        string TextOf(int[] ids) => System.Text.Encoding.UTF8.GetString([.. ids.SelectMany(vocabulary.GetBytes)]);
    }

    /// <summary>A piece that text is put together to may be a control token's name.</summary>
    [Fact]
    public async Task Tokenize_TextWhosePiecesMakeAMarker_HasNone()
    {
        var path = Path.Combine(TestModels.Folder, "gemma3-merging.gguf");
        var options = new RandomModelOptions { Architecture = ModelArchitecture.Gemma3, ProjectorType = "gemma3" };
        var writer = RandomModel.BuildModel(options);
        string[] tokens = [.. RandomModel.VocabularyOf(options).Tokens];
        foreach (
            var (word, piece) in ((string, string)[])[("\u2581a", "<e"), ("\u2581the", "<eo"), ("\u2581of", "<eos")]
        )
        {
            tokens[Array.IndexOf(tokens, word)] = piece;
        }

        writer.Add("tokenizer.ggml.tokens", tokens);
        writer.Save(path);
        using var model = await VisionLanguageModel.LoadAsync(
            LoadedModels.Options(TestModels.Get("gemma3") with { ModelPath = path }),
            cancellationToken: TestContext.Current.CancellationToken
        );

        var ids = model.Vocabulary.Tokenize("<eos>");
        Assert.DoesNotContain(model.Vocabulary.FindId("<eos>"), ids);
        Assert.Equal("<eos>", System.Text.Encoding.UTF8.GetString([.. ids.SelectMany(model.Vocabulary.GetBytes)]));
    }

    [Fact]
    public void ModelTokens_TextsOfTokens_AreTheVocabularys()
    {
        var files = TestModels.Get("gemma3");
        var tokens = ModelTokens.Open(files.ModelPath);
        for (var id = 0; id < Model.Vocabulary.Count; id++)
        {
            Assert.Equal(Model.Vocabulary.GetBytes(id), tokens.GetBytes(id));
        }

        Assert.Equal(Model.Vocabulary.FindId("<end_of_turn>"), tokens.FindId("<end_of_turn>"));
        Assert.True(Model.Vocabulary.EndsAnswer(tokens.FindId("<end_of_turn>")));
        Assert.True(Model.Vocabulary.EndsAnswer(tokens.FindId("<eos>")));
    }

    [Fact]
    public void CreateCompletion_Evidence_IsRefusedInOneLine() =>
        Assert.Contains(
            "Gemma 3 has no evidence maps",
            Assert
                .Throws<InvalidInputException>(() =>
                    Model.CreateCompletion([new(TurnRole.User, "Hi")], new() { CaptureAttention = true })
                )
                .Message,
            StringComparison.Ordinal
        );
}
