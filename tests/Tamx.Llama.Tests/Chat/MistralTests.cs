using System.Text;
using Tamx.Llama.Chat;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>What Pixtral and Mistral Small have of their own: rows of cells that end, and turns of two markers.</summary>
public sealed class MistralTests
{
    private static readonly ImagePart Image = TestPictures.Gradient(80, 48);

    /// <summary>The published templates', without the beginning marker.</summary>
    public static TheoryData<string, string, string> Published =>
        new()
        {
            { "pixtral", "user", "[INST]Hi[/INST]" },
            { "pixtral", "system", "[INST]Be brief.\n\nHi[/INST]" },
            { "pixtral", "several", "[INST]Hi[/INST]Well?</s>[INST]Be brief.\n\nWhat?[/INST]" },
            { "pixtral", "picture", "[INST][IMG][IMG_END]What is it?[/INST]" },
            { "mistral-small", "user", "[INST]Hi[/INST]" },
            { "mistral-small", "system", "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hi[/INST]" },
            {
                "mistral-small",
                "several",
                "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hi[/INST]Well?</s>[INST]What?[/INST]"
            },
        };

    [Theory]
    [MemberData(nameof(Published))]
    public void Format_Conversation_IsThePublishedTemplates(string name, string conversation, string expected)
    {
        ChatTurn system = new(TurnRole.System, "Be brief.");
        ChatTurn[] messages = conversation switch
        {
            "user" => [new(TurnRole.User, "Hi")],
            "system" => [system, new(TurnRole.User, "Hi")],
            "several" =>
            [
                system,
                new(TurnRole.User, "Hi"),
                new(TurnRole.Assistant, "Well?"),
                new(TurnRole.User, "What?"),
            ],
            _ => [new(TurnRole.User, [Image, new TextPart("What is it?")])],
        };

        Assert.Equal($"<s>{expected}", LoadedModels.Get(TestModels.Get(name)).Template.Format(messages));
    }

    [Theory]
    [InlineData("pixtral", 5, 3)]
    [InlineData("mistral-small", 4, 3)]
    public void CreateCompletion_Picture_HasAnEndAfterEachRow(string name, int columns, int rows)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        using var completion = model.CreateCompletion([new(TurnRole.User, [Image, new TextPart("What is it?")])]);
        int[] Ids(string text) => model.Vocabulary.Tokenize(text, parseMarkers: true);
        var row = string.Concat(Enumerable.Repeat("[IMG]", columns));

        Assert.Equal(
            [
                .. Ids("<s>[INST]"),
                .. Ids(string.Join("[IMG_BREAK]", Enumerable.Repeat(row, rows)) + "[IMG_END]"),
                .. Ids("What is it?[/INST]"),
            ],
            completion.TokenIds.ToArray()
        );
        var picture = Assert.Single(completion.Pictures);
        Assert.Equal((columns, rows), (picture.Columns, picture.Rows));
        Assert.Equal(columns + 1, picture.SequenceIndexOf(columns));
    }

    /// <summary>llama.cpp makes them of memory that nobody wrote, times 0.</summary>
    [Theory]
    [InlineData("pixtral", 16)]
    [InlineData("mistral-small", 28)]
    public void Encode_EndsOfRows_AreTheFilesTensor(string name, int cell)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var (width, height) = (3 * cell, 4 * cell);
        using var cancelled = new UnmanagedState<int>();
        var embeddings = model.Vision!.Encode(width, height, 15, new byte[width * height * 3], default, cancelled);
        var rowEnd = new TensorRows(model.Projector!.RowEnd!).Read([0]);

        foreach (var index in (int[])[3, 7, 11])
        {
            Assert.Equal(rowEnd, embeddings.AsSpan(index * rowEnd.Length, rowEnd.Length).ToArray());
        }

        Assert.Equal("v.token_embd.img_break", model.Projector.RowEnd!.Name);
    }

    /// <summary>llama.cpp cuts such text by a regular expression, which would overflow the stack.</summary>
    [Theory]
    [InlineData("7")]
    [InlineData("a")]
    [InlineData("A")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("!")]
    [InlineData("\u00e9")]
    [InlineData("a\u0301")]
    [InlineData("\ud835\udc9c")]
    [InlineData("a\ud835\udc9c")]
    [InlineData("!\ud83d\ude00")]
    [InlineData("\u0903")]
    [InlineData("\u2460")]
    public void Tokenize_LongRun_IsCut(string sign)
    {
        var vocabulary = LoadedModels.Get(TestModels.Get("pixtral")).Vocabulary;
        var text = string.Concat(Enumerable.Repeat(sign, 100_000));

        Assert.Equal(text, Encoding.UTF8.GetString([.. vocabulary.Tokenize(text).SelectMany(vocabulary.GetBytes)]));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("some words, and 1000 more", "some words, and 1000 more")]
    public void Part_Text_IsWhole(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', LongRuns.Part(text)));

    [Fact]
    public void Part_LongRun_IsCutAfterAThousandSigns()
    {
        var text = $"a {new string('b', 2500)} c";
        var parts = LongRuns.Part(text).ToArray();

        Assert.Equal(text, string.Concat(parts));
        Assert.Equal([1002, 1000, 502], parts.Select(part => part.Length));
    }
}
