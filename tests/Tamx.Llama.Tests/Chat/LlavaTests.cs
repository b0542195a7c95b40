using System.Text;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Tests.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>What LLaVA 1.5 has of its own: turns in words alone, and pictures without any marker.</summary>
public sealed class LlavaTests
{
    private const string System =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions. ";

    private static readonly ImagePart Image = TestPictures.Gradient(64, 40);

    private static VisionLanguageModel Model => LoadedModels.Get(TestModels.Get("llava"));

    /// <summary>The makers' own conversations (<c>vicuna_v1</c>), without the beginning marker.</summary>
    public static TheoryData<string, string> Published =>
        new()
        {
            { "user", $"{System}USER: Hi ASSISTANT:" },
            { "system", "Be brief. USER: Hi ASSISTANT:" },
            { "several", $"{System}USER: Hi ASSISTANT: Well?</s>USER: What? ASSISTANT:" },
            { "picture", $"{System}USER: <unk>\nWhat is it? ASSISTANT:" },
        };

    [Theory]
    [MemberData(nameof(Published))]
    public void Format_Conversation_IsTheMakers(string name, string expected)
    {
        ChatTurn[] messages = name switch
        {
            "user" => [new(TurnRole.User, "Hi")],
            "system" => [new(TurnRole.System, "Be brief."), new(TurnRole.User, "Hi")],
            "several" => [new(TurnRole.User, "Hi"), new(TurnRole.Assistant, "Well?"), new(TurnRole.User, "What?")],
            "picture" => [new(TurnRole.User, [Image, new TextPart("What is it?")])],
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };

        Assert.Equal($"<s>{expected}", Model.Template.Format(messages));
    }

    [Fact]
    public void CreateCompletion_Picture_IsCellsBetweenText()
    {
        using var completion = Model.CreateCompletion([new(TurnRole.User, [Image, new TextPart("What is it?")])]);
        var picture = Assert.Single(completion.Pictures);
        var ids = completion.TokenIds.ToArray();
        var cell = Model.Vocabulary.FindId("<unk>");

        Assert.Equal((5, 5), (picture.Columns, picture.Rows));
        Assert.Equal(25, ids.Count(id => id == cell));
        Assert.All(ids.AsSpan(picture.FirstPosition, 25).ToArray(), id => Assert.Equal(cell, id));
        Assert.EndsWith("USER: ", TextOf(ids[..picture.FirstPosition]), StringComparison.Ordinal);

        // A space goes before text that follows cells, as llama.cpp's and the makers' tokenizers have it. (Line feeds
        // are tokens by themselves in the test's vocabulary.)
        Assert.Equal("\n What is it? ASSISTANT:", TextOf(ids[(picture.FirstPosition + 25)..]));
        Assert.Equal(Model.Vocabulary.FindId("<s>"), ids[0]);
    }

    /// <summary>What the sequence's first cell shows is the grid's second place; the last of all is the first.</summary>
    [Fact]
    public void SequenceIndexOf_Cell_IsOnePlaceAhead()
    {
        using var completion = Model.CreateCompletion([new(TurnRole.User, [Image])]);
        var picture = completion.Pictures[0];

        Assert.Equal([24, .. Enumerable.Range(0, 24)], Enumerable.Range(0, 25).Select(picture.SequenceIndexOf));
    }

    [Theory]
    [InlineData("<s>")]
    [InlineData("</s>")]
    [InlineData("<unk>")]
    public void Tokenize_TextWithMarkers_HasNone(string marker)
    {
        var vocabulary = Model.Vocabulary;
        var text = $"a red {marker}cup{marker}";
        foreach (var specials in (SpecialTokens[])[SpecialTokens.None, SpecialTokens.Answer])
        {
            var ids = vocabulary.Tokenize(text, specials);
            Assert.DoesNotContain(vocabulary.FindId(marker), ids);
            Assert.Equal($" {text}", TextOf(ids));
        }
    }

    [Fact]
    public async Task LoadAsync_WithoutMmproj_SaysWhy()
    {
        var files = TestModels.Get("llava");
        var error = await Assert.ThrowsAsync<ModelFormatException>(() =>
            VisionLanguageModel.LoadAsync(new ModelOptions { ModelPath = files.ModelPath, ThreadCount = 1 })
        );

        Assert.Contains("its mmproj alone shows to be LLaVA 1.5's", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[INST] ... [/INST]", false)]
    [InlineData("{{ 'USER: ' }} ... {{ 'ASSISTANT:' }}", true)]
    public void CheckModel_TemplateOfOtherTurns_IsNamed(string template, bool passes)
    {
        var writer = RandomModel.BuildModel(new() { Architecture = ModelArchitecture.Llama, ProjectorType = "mlp" });
        writer.Add("tokenizer.chat_template", template);
        var model = GgufModel.Of(GgufBytes.Read(writer.ToArray()));

        var error = Record.Exception(() => Preflight.CheckModel(model));
        Assert.Equal(passes, error is null);
        Assert.Contains(passes ? "" : "turns of ASSISTANT:", error?.Message ?? "", StringComparison.Ordinal);
    }

    /// <summary>The files of 2023: CLIP's own size of projections, positions in half precision.</summary>
    [Fact]
    public async Task LoadAsync_MmprojOfTheFirstConverter_IsRead()
    {
        var files = TestModels.Get("llava");
        var writer = RandomModel.BuildProjector(
            new()
            {
                Architecture = ModelArchitecture.Llama,
                ProjectorType = "mlp",
                PatchSize = 14,
                ImageSize = 70,
            }
        );
        writer.Add("clip.vision.projection_dim", 768u);
        writer.Add("clip.has_text_encoder", false);
        writer.Add("clip.has_llava_projector", true);
        writer.RemoveTensor("v.position_embd.weight");
        writer.AddTensor("v.position_embd.weight", TensorType.F16, [64, 26], new byte[64 * 26 * sizeof(ushort)]);
        var path = Path.Combine(TestModels.Folder, "mmproj-llava-2023.gguf");
        writer.Save(path);
        using var model = await VisionLanguageModel.LoadAsync(
            LoadedModels.Options(files with { ProjectorPath = path }),
            cancellationToken: TestContext.Current.CancellationToken
        );
        using var completion = model.CreateCompletion([new(TurnRole.User, [Image])], new() { MaxNewTokens = 2 });

        Assert.NotEmpty(await CaptureTests.Collect(completion));
        Assert.Equal(256, model.Projector!.ProjectionSize);
    }

    [Fact]
    public void CheckProjector_Llava16_IsNamed()
    {
        var writer = RandomModel.BuildProjector(
            new()
            {
                Architecture = ModelArchitecture.Llama,
                ProjectorType = "mlp",
                PatchSize = 14,
                ImageSize = 70,
            }
        );
        writer.Add("clip.vision.image_grid_pinpoints", (int[])[336, 672]);

        Assert.Contains(
            "image_grid_pinpoints is there, as in LLaVA 1.6; it must be absent",
            Assert
                .Throws<ModelFormatException>(() =>
                    Preflight.CheckProjector(GgufModel.Of(GgufBytes.Read(writer.ToArray())))
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    private static string TextOf(int[] ids) => Encoding.UTF8.GetString([.. ids.SelectMany(Model.Vocabulary.GetBytes)]);
}
