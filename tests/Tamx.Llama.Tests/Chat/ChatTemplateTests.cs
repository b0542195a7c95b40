using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>
/// Prompts equal, character for character, what the published chat templates of the Qwen-VL models give. The expected
/// strings were made with Jinja (trim_blocks and lstrip_blocks on, as transformers has them) from the templates of
/// Qwen2-VL-Instruct and Qwen2.5-VL-Instruct, which are one (it stands in transformers'
/// tests/models/qwen2_vl/test_processing_qwen2_vl.py, too), and of Qwen3-VL-Instruct (chat_template.json).
/// </summary>
public sealed class ChatTemplateTests
{
    private const string System2 = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";
    private const string Picture = "<|vision_start|><|image_pad|><|vision_end|>";

    private static readonly ImagePart Image = new(default, "a.png");

    private static readonly (string Name, ChatTurn[] Messages)[] Conversations =
    [
        ("text", [new(TurnRole.User, "Hi")]),
        ("no text", [new(TurnRole.User, "")]),
        ("picture", [new(TurnRole.User, [Image, new TextPart("Describe this image.")])]),
        ("two pictures", [new(TurnRole.User, [Image, Image, new TextPart("Compare.")])]),
        (
            "system",
            [new(TurnRole.System, "Be brief."), new(TurnRole.User, [new TextPart("A "), Image, new TextPart(" B\n")])]
        ),
        (
            "turns",
            [
                new(TurnRole.System, "Be brief."),
                new(TurnRole.User, [Image, new TextPart("What is it?")]),
                new(TurnRole.Assistant, "A cup. "),
                new(TurnRole.User, [new TextPart("And "), Image, new TextPart("?")]),
                new(TurnRole.Assistant, "Yes."),
                new(TurnRole.User, "Sure?"),
            ]
        ),
        ("answer", [new(TurnRole.User, [Image, new TextPart("What is it?")]), new(TurnRole.Assistant, "A cup.")]),
    ];

    [Theory]
    [InlineData("text", "<|im_start|>user\nHi<|im_end|>\n")]
    [InlineData("no text", "<|im_start|>user\n<|im_end|>\n")]
    [InlineData("picture", $"<|im_start|>user\n{Picture}Describe this image.<|im_end|>\n")]
    [InlineData("two pictures", $"<|im_start|>user\n{Picture}{Picture}Compare.<|im_end|>\n")]
    [InlineData("system", $"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nA {Picture} B\n<|im_end|>\n")]
    [InlineData(
        "turns",
        "<|im_start|>system\nBe brief.<|im_end|>\n"
            + $"<|im_start|>user\n{Picture}What is it?<|im_end|>\n"
            + "<|im_start|>assistant\nA cup. <|im_end|>\n"
            + $"<|im_start|>user\nAnd {Picture}?<|im_end|>\n"
            + "<|im_start|>assistant\nYes.<|im_end|>\n"
            + "<|im_start|>user\nSure?<|im_end|>\n"
    )]
    [InlineData(
        "answer",
        $"<|im_start|>user\n{Picture}What is it?<|im_end|>\n<|im_start|>assistant\nA cup.<|im_end|>\n"
    )]
    public void Format_PublishedTemplates_GiveTheSame(string name, string expected)
    {
        var messages = Conversations.Single(conversation => conversation.Name == name).Messages;
        var (qwen2, qwen3) = (
            ChatTemplate.For(null, ModelArchitecture.Qwen2Vl),
            ChatTemplate.For(null, ModelArchitecture.Qwen3Vl)
        );
        var withSystem = messages[0].Role == TurnRole.System ? expected : System2 + expected;

        // add_generation_prompt false, then true.
        Assert.Equal(expected, qwen3.Format(messages, addGenerationPrompt: false));
        Assert.Equal(expected + "<|im_start|>assistant\n", qwen3.Format(messages));
        Assert.Equal(withSystem, qwen2.Format(messages, addGenerationPrompt: false));
        Assert.Equal(withSystem + "<|im_start|>assistant\n", qwen2.Format(messages));
    }

    /// <summary>
    /// InternVL's template writes a line feed after each picture. Source: chat_template.jinja of InternVL3-1B-hf, which
    /// has &lt;IMG_CONTEXT&gt; where the processor puts the markers and cells.
    /// </summary>
    [Theory]
    [InlineData("text")]
    [InlineData("no text")]
    [InlineData("picture")]
    [InlineData("two pictures")]
    [InlineData("system")]
    [InlineData("turns")]
    [InlineData("answer")]
    public void Format_InternVl_HasALineFeedAfterEachPicture(string name)
    {
        var messages = Conversations.Single(conversation => conversation.Name == name).Messages;
        var qwen = ChatTemplate.For(null, ModelArchitecture.Qwen3Vl).Format(messages);
        var template = ChatTemplate.For(RandomModel.InternVlTemplate, ModelArchitecture.Qwen2);
        var text = template.Format(messages);

        Assert.Equal(qwen.Replace(Picture, "<img><IMG_CONTEXT></img>\n", StringComparison.Ordinal), text);
        Assert.Equal(text, ChatTemplate.For(null, ModelArchitecture.Qwen3).Format(messages));
    }

    /// <summary>
    /// What stands before a given answer, and the answer, are the published string up to the end of the answer's text.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen2.5vl")]
    [InlineData("internvl3")]
    [InlineData("internvl3.5")]
    public void CreateCompletion_AnswerLast_IsThePublishedSequenceUpToTheAnswersEnd(string name)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        ChatTurn[] messages =
        [
            new(TurnRole.System, "Be brief."),
            new(TurnRole.User, "What is it?"),
            new(TurnRole.Assistant, "A cup."),
        ];
        var published = model.Template.Format(messages, addGenerationPrompt: false);
        var ids = model.Vocabulary.Tokenize(
            published[..published.LastIndexOf("<|im_end|>", StringComparison.Ordinal)],
            parseMarkers: true
        );

        using var completion = model.CreateCompletion(messages);
        Assert.Equal(ids[..completion.PromptTokenCount], completion.TokenIds.ToArray());
        Assert.Equal(ids[completion.PromptTokenCount..], model.Vocabulary.Tokenize("A cup."));
    }

    [Fact]
    public void Format_NoMessages_Throws() =>
        Assert.Throws<InvalidInputException>(() => new ChatTemplate(null).Format([]));

    /// <summary>Qwen3-VL's template would leave these out without a word; Qwen2-VL's writes them.</summary>
    [Theory]
    [InlineData(1, "message 1 is the system's and not the first")]
    [InlineData(0, "message 0 is the system's and holds more than text")]
    public void Format_SystemThatTheTemplateLeavesOut_Throws(int index, string message)
    {
        ChatTurn[] messages =
            index == 1
                ? [new(TurnRole.User, "Hi"), new(TurnRole.System, "Be brief.")]
                : [new(TurnRole.System, [Image]), new(TurnRole.User, "Hi")];

        var exception = Assert.Throws<InvalidInputException>(() =>
            ChatTemplate.For(null, ModelArchitecture.Qwen3Vl).Format(messages)
        );

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.NotEmpty(ChatTemplate.For(null, ModelArchitecture.Qwen2Vl).Format(messages));
    }

    [Theory]
    [InlineData(
        "{% if loop.first %}<|im_start|>system\\nSpeak well.<|im_end|>\\n{% endif %}",
        "<|im_start|>system\nSpeak well.<|im_end|>\n"
    )]
    [InlineData(
        "{% if loop.first %}<|im_start|>system\nSpeak well.<|im_end|>\n{% endif %}",
        "<|im_start|>system\nSpeak well.<|im_end|>\n"
    )]
    [InlineData("{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}", "")]
    public void For_ModelsOwnTemplate_GivesItsDefaultSystem(string template, string expected) =>
        Assert.Equal(
            expected + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            ChatTemplate.For(template, ModelArchitecture.Qwen2Vl).Format([new(TurnRole.User, "Hi")])
        );

    [Theory]
    [InlineData("{{- '<|im_start|>assistant\\n<think>\\n' }}", "<think>\n")]
    [InlineData("{{- '<|im_start|>assistant\\n' }}", "")]
    public void For_TemplateThatStartsThinking_OpensTheThought(string template, string expected) =>
        Assert.EndsWith(
            "<|im_start|>assistant\n" + expected,
            ChatTemplate.For(template, ModelArchitecture.Qwen3Vl).Format([new(TurnRole.User, "Hi")]),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("qwen3vl", null)]
    [InlineData("qwen2.5vl", "You are a helpful assistant.")]
    public void For_LoadedModel_ReadsTheFilesTemplate(string name, string? expected)
    {
        var text = LoadedModels.Get(LoadedModels.Files(name)).Template.Format([new(TurnRole.User, "Hi")]);
        Assert.Equal(
            expected is not null,
            text.StartsWith($"<|im_start|>system\n{expected}<|im_end|>\n", StringComparison.Ordinal)
        );
    }
}
