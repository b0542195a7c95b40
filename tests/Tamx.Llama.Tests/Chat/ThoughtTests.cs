using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>
/// Prompts of thinking models. The expected strings were made with Jinja (trim_blocks and lstrip_blocks on) from the
/// published template of Qwen3-VL Thinking, which gives the same as <see cref="RandomModel.ThinkingTemplate"/>.
/// </summary>
public sealed class ThoughtTests
{
    private const string Open = "<|im_start|>assistant\n<think>\n";
    private const string Picture = "<|vision_start|><|image_pad|><|vision_end|>";
    private const string Call = "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n";

    private static readonly ImagePart Image = new(default, "a.png");

    private static readonly ChatTemplate Thinking = ChatTemplate.For(
        RandomModel.ThinkingTemplate,
        ModelArchitecture.Qwen3Vl
    );

    private static readonly Dictionary<string, ChatTurn[]> Conversations = new()
    {
        ["question"] = [User("Hi")],
        ["history"] =
        [
            new(TurnRole.System, "Be brief."),
            new(TurnRole.User, [Image, new TextPart("What is it?")]),
            Said("<think>\nIt has a handle.\n</think>\n\nA cup."),
            User("Sure?"),
            Said("No start\n</think>\n\nYes."),
            User("And now?"),
        ],
        ["beside"] = [User("One"), Said("1", "Count."), User("Two"), Said("\n2\n", ""), User("Three")],
        ["open in history"] = [User("One"), Said("<think>\nCount"), User("Two")],
        ["two ends"] = [User("One"), Said("<think>a</think>b</think>\n\n c"), User("Two")],
        ["tool"] =
        [
            User("Weather?"),
            Said("<think>\nLook it up.\n</think>\n\n<tool_call>\n{}\n</tool_call>"),
            User("<tool_response>\n12\n</tool_response>"),
            Said("Wait."),
            Said("\n\nIt is 12.", "Read it."),
            User("<tool_response>\n13\n</tool_response>"),
        ],
        ["tool, then question"] =
        [
            User("Weather?"),
            Said("<think>\nLook it up.\n</think>\n\nCall"),
            User("<tool_response>\n12\n</tool_response>"),
            Said("It is 12."),
            User("And <tool_response>x</tool_response>"),
        ],
        ["late system"] =
        [
            User("Hi"),
            Said("<think>x</think>Hello"),
            new(TurnRole.System, [new TextPart("Look: "), Image]),
            User("What?"),
        ],
        ["tags of the user"] = [User("<think>\nno\n</think>\n\nWhy </think>?"), Said("Because"), User("Hm </think>")],
        ["picture in the assistant's turn"] =
        [
            User("One"),
            new(TurnRole.Assistant, [new TextPart("<think>\nsee </think>\n"), new TextPart("\n"), Image]),
            User("Two"),
        ],
        ["picture in a thought"] =
        [
            User("One"),
            new(
                TurnRole.Assistant,
                [new TextPart("<think>\n\n"), Image, new TextPart(" shown \n</think>\n"), new TextPart("\nHere"), Image]
            ),
            User("<tool_response>2</tool_response>"),
        ],
        ["answer"] = [User("What?"), Said("A cup.")],
        ["answer with thought"] = [User("What?"), Said("<think>\nA handle.\n</think>\n\nA cup.")],
        ["answer without start"] = [User("What?"), Said("\nA handle.\n\n</think>A cup.\n")],
        ["answer beside"] = [User("What?"), Said("\nA cup.", "\nA handle.\n")],
        ["answer with empty thought"] = [User("What?"), Said("<think>\n\n</think>\n\nA cup.")],
        ["answer without question"] = [new(TurnRole.System, "Be brief."), Said("A cup.")],
        ["answer in parts"] =
        [
            User("What?"),
            new(
                TurnRole.Assistant,
                [
                    new TextPart("<think>\nA "),
                    new TextPart("handle.</thi"),
                    new TextPart("nk>\n\n"),
                    new TextPart("A cup."),
                ]
            ),
        ],
        ["answer after a call"] =
        [
            User("Weather?"),
            Said("<think>\nLook.\n</think>\n\nCall"),
            Said("Wait."),
            Said("It is 12.", "Read it."),
        ],
    };

    [Theory]
    [InlineData("question", "<|im_start|>user\nHi<|im_end|>\n")]
    [InlineData(
        "history",
        "<|im_start|>system\nBe brief.<|im_end|>\n"
            + $"<|im_start|>user\n{Picture}What is it?<|im_end|>\n<|im_start|>assistant\nA cup.<|im_end|>\n"
            + "<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
            + "<|im_start|>user\nAnd now?<|im_end|>\n"
    )]
    [InlineData(
        "beside",
        "<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n"
            + "<|im_start|>user\nTwo<|im_end|>\n<|im_start|>assistant\n\n2\n<|im_end|>\n"
            + "<|im_start|>user\nThree<|im_end|>\n"
    )]
    [InlineData(
        "open in history",
        "<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n<think>\nCount<|im_end|>\n"
            + "<|im_start|>user\nTwo<|im_end|>\n"
    )]
    [InlineData(
        "two ends",
        "<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n c<|im_end|>\n<|im_start|>user\nTwo<|im_end|>\n"
    )]
    [InlineData(
        "tool",
        $"{Call}<think>\nLook it up.\n</think>\n\n<tool_call>\n{{}}\n</tool_call><|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n12\n</tool_response><|im_end|>\n"
            + "<|im_start|>assistant\nWait.<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nRead it.\n</think>\n\nIt is 12.<|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n13\n</tool_response><|im_end|>\n"
    )]
    [InlineData(
        "tool, then question",
        $"{Call}Call<|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n12\n</tool_response><|im_end|>\n"
            + "<|im_start|>assistant\nIt is 12.<|im_end|>\n"
            + "<|im_start|>user\nAnd <tool_response>x</tool_response><|im_end|>\n"
    )]
    [InlineData(
        "late system",
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            + $"<|im_start|>system\nLook: {Picture}<|im_end|>\n<|im_start|>user\nWhat?<|im_end|>\n"
    )]
    [InlineData(
        "tags of the user",
        "<|im_start|>user\n<think>\nno\n</think>\n\nWhy </think>?<|im_end|>\n"
            + "<|im_start|>assistant\nBecause<|im_end|>\n<|im_start|>user\nHm </think><|im_end|>\n"
    )]
    [InlineData(
        "picture in the assistant's turn",
        $"<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n{Picture}<|im_end|>\n"
            + "<|im_start|>user\nTwo<|im_end|>\n"
    )]
    [InlineData(
        "picture in a thought",
        $"<|im_start|>user\nOne<|im_end|>\n{Open}{Picture} shown \n</think>\n\nHere{Picture}<|im_end|>\n"
            + "<|im_start|>user\n<tool_response>2</tool_response><|im_end|>\n"
    )]
    [InlineData("answer", $"<|im_start|>user\nWhat?<|im_end|>\n{Open}\n</think>\n\nA cup.<|im_end|>\n")]
    [InlineData(
        "answer with thought",
        $"<|im_start|>user\nWhat?<|im_end|>\n{Open}A handle.\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer without start",
        $"<|im_start|>user\nWhat?<|im_end|>\n{Open}A handle.\n</think>\n\nA cup.\n<|im_end|>\n"
    )]
    [InlineData("answer beside", $"<|im_start|>user\nWhat?<|im_end|>\n{Open}A handle.\n</think>\n\nA cup.<|im_end|>\n")]
    [InlineData(
        "answer with empty thought",
        $"<|im_start|>user\nWhat?<|im_end|>\n{Open}\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer without question",
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>assistant\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer in parts",
        $"<|im_start|>user\nWhat?<|im_end|>\n{Open}A handle.\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer after a call",
        $"{Call}<think>\nLook.\n</think>\n\nCall<|im_end|>\n<|im_start|>assistant\nWait.<|im_end|>\n"
            + $"{Open}Read it.\n</think>\n\nIt is 12.<|im_end|>\n"
    )]
    public void Format_PublishedThinkingTemplate_GivesTheSame(string name, string expected)
    {
        var messages = Conversations[name];

        Assert.Equal(expected, Thinking.Format(messages, addGenerationPrompt: false));
        Assert.Equal(expected + Open, Thinking.Format(messages));
    }

    /// <summary>What stands before a given answer, and the answer, are the published string up to its end.</summary>
    [Theory]
    [InlineData("answer", "A cup.")]
    [InlineData("answer with thought", "A handle.\n</think>\n\nA cup.")]
    [InlineData("answer without start", "A handle.\n</think>\n\nA cup.\n")]
    [InlineData("answer beside", "A handle.\n</think>\n\nA cup.")]
    [InlineData("answer with empty thought", "A cup.")]
    [InlineData("answer without question", "A cup.")]
    [InlineData("answer in parts", "A handle.\n</think>\n\nA cup.")]
    [InlineData("answer after a call", "Read it.\n</think>\n\nIt is 12.")]
    public void CreateCompletion_GivenAnswer_IsThePublishedSequenceUpToTheAnswersEnd(string name, string answer)
    {
        var model = LoadedModels.Get(TestModels.Qwen3VlThinking);
        var published = model.Template.Format(Conversations[name], addGenerationPrompt: false);
        var whole = published[..published.LastIndexOf("<|im_end|>", StringComparison.Ordinal)];
        var vocabulary = model.Vocabulary;

        using var completion = model.CreateCompletion(Conversations[name]);

        Assert.EndsWith(answer, whole, StringComparison.Ordinal);
        Assert.Equal(vocabulary.Tokenize(whole[..^answer.Length], parseMarkers: true), completion.TokenIds.ToArray());
        Assert.Equal(vocabulary.Tokenize(answer, parseMarkers: true).Length, completion.MaxAnswerTokens);
    }

    [Theory]
    [InlineData("<think>\nA hand", null)]
    [InlineData("\n<think>A hand", null)]
    [InlineData("", "\nA hand")]
    public void CreateCompletion_ThoughtThatNeverEnds_StaysOpen(string text, string? thought)
    {
        var model = LoadedModels.Get(TestModels.Qwen3VlThinking);
        ChatTurn[] question = [User("What?")];
        using var asked = model.CreateCompletion(question);

        using var given = model.CreateCompletion([.. question, Said(text, thought)]);

        Assert.Equal(asked.TokenIds.ToArray(), given.TokenIds.ToArray());
        Assert.Equal(model.Vocabulary.Tokenize("A hand").Length, given.MaxAnswerTokens);
    }

    [Fact]
    public void CreateCompletion_ThoughtAndNoPlaceForIt_SaysSo()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        ChatTurn[] history = [User("One"), Said("1", "Count."), User("Two")];

        var exception = Assert.Throws<InvalidInputException>(() =>
            model.CreateCompletion([User("One"), Said("1", "Count.")])
        );

        // An earlier turn's thought is dropped by every template, and an empty one says nothing.
        Assert.Contains("the answer to explain has a thought", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Count.", model.Template.Format(history), StringComparison.Ordinal);
        using var completion = model.CreateCompletion([User("One"), Said("1", "")]);
    }

    [Fact]
    public void Format_TemplateWithoutThoughts_WritesTagsAsTheyAre()
    {
        ChatTurn[] messages = [User("One"), Said("<think>\nCount\n</think>\n\n1"), User("Two")];

        Assert.Equal(
            "<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n<think>\nCount\n</think>\n\n1<|im_end|>\n"
                + "<|im_start|>user\nTwo<|im_end|>\n<|im_start|>assistant\n",
            ChatTemplate.For(null, ModelArchitecture.Qwen3Vl).Format(messages)
        );
    }

    [Theory]
    [InlineData("{{ text.split('</think>')[-1] }}", "", "1", "<think>\nB\n</think>\n\n2")]
    [InlineData(
        "{{ text.split(\"</think>\")[-1] }}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
            + "{{ '<think>\\n' }}{% endif %}",
        "<think>\n",
        "1",
        "<think>\nB\n</think>\n\n2"
    )]
    [InlineData(
        "{{ '<|im_start|>assistant\\n<think>\\n' + text.split('</think>')[0] }}{% if add_generation_prompt %}"
            + "{{ '<|im_start|>assistant\\n' }}{% if not thinks %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
            + "{% endif %}",
        "",
        "1",
        "<think>\nB\n</think>\n\n2"
    )]
    [InlineData(
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}",
        "<think>\n",
        "<think>A</think>1",
        "<think>B</think>2"
    )]
    public void For_OtherTemplates_ReadsHowTheyWriteThoughts(
        string template,
        string opening,
        string earlier,
        string answer
    )
    {
        ChatTurn[] messages =
        [
            User("One"),
            Said("<think>A</think>1"),
            User("<tool_response>Two</tool_response>"),
            Said("<think>B</think>2"),
        ];

        var text = ChatTemplate.For(template, ModelArchitecture.Qwen3Vl).Format(messages);

        Assert.Equal(
            $"<|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\n{earlier}<|im_end|>\n"
                + "<|im_start|>user\n<tool_response>Two</tool_response><|im_end|>\n"
                + $"<|im_start|>assistant\n{answer}<|im_end|>\n<|im_start|>assistant\n{opening}",
            text
        );
    }

    private static ChatTurn User(string text) => new(TurnRole.User, text);

    private static ChatTurn Said(string text, string? thought = null) =>
        new(TurnRole.Assistant, text) { Thought = thought };
}
