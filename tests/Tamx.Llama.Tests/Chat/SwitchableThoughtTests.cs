using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>
/// Prompts of Qwen3.5. The expected strings were made with Jinja (trim_blocks and lstrip_blocks on) from the published
/// template, which gives the same as <see cref="RandomModel.SwitchableTemplate"/>.
/// </summary>
public sealed class SwitchableThoughtTests
{
    private const string Answer = "<|im_start|>assistant\n";
    private const string Thought = "<think>\n";
    private const string NoThought = "<think>\n\n</think>\n\n";

    private static readonly ImagePart Image = new(default, "a.png");

    private static readonly ChatTemplate Template = ChatTemplate.For(
        RandomModel.SwitchableTemplate,
        ModelArchitecture.Qwen35
    );

    private static readonly Dictionary<string, ChatTurn[]> Conversations = new()
    {
        ["question"] = [User(" Hi\n")],
        ["history"] =
        [
            new(TurnRole.System, " Be brief.\n"),
            new(TurnRole.User, [new TextPart(" "), Image, new TextPart(" What is it? ")]),
            Said("<think>\nIt has a handle.\n</think>\n\nA cup. "),
            User("Sure?"),
            Said("No start\n</think>\n\nYes."),
            User("And now?"),
        ],
        ["beside"] = [User("One"), Said("1", "Count."), User("Two"), Said("\n2\n", ""), User("Three")],
        ["tool"] =
        [
            User("Weather?"),
            Said("<think>\n Look it up. \n</think>\n\n<tool_call>\n{}\n</tool_call>"),
            User("<tool_response>\n12\n</tool_response>"),
            Said("Wait."),
            Said("\n\nIt is 12.", "\nRead it. "),
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
        ["picture in a thought"] =
        [
            User("One"),
            new(
                TurnRole.Assistant,
                [new TextPart("<think>\n\n"), Image, new TextPart(" shown \n</think>\n"), new TextPart("\nHere"), Image]
            ),
            User(" <tool_response>2</tool_response> "),
        ],
        ["answer"] = [User("What?"), Said("A cup.")],
        ["answer with thought"] = [User("What?"), Said("<think>\nA handle.\n</think>\n\nA cup.")],
        ["answer beside"] = [User("What?"), Said("\nA cup.", "\nA handle.\n")],
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
            + "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|> What is it?<|im_end|>\n"
            + "<|im_start|>assistant\nA cup.<|im_end|>\n"
            + "<|im_start|>user\nSure?<|im_end|>\n"
            + "<|im_start|>assistant\nYes.<|im_end|>\n"
            + "<|im_start|>user\nAnd now?<|im_end|>\n"
    )]
    [InlineData(
        "beside",
        "<|im_start|>user\nOne<|im_end|>\n"
            + "<|im_start|>assistant\n1<|im_end|>\n"
            + "<|im_start|>user\nTwo<|im_end|>\n"
            + "<|im_start|>assistant\n2<|im_end|>\n"
            + "<|im_start|>user\nThree<|im_end|>\n"
    )]
    [InlineData(
        "tool",
        "<|im_start|>user\nWeather?<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nLook it up.\n</think>\n\n<tool_call>\n{}\n</tool_call><|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n12\n</tool_response><|im_end|>\n"
            + "<|im_start|>assistant\n<think>\n\n</think>\n\nWait.<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nRead it.\n</think>\n\nIt is 12.<|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n13\n</tool_response><|im_end|>\n"
    )]
    [InlineData(
        "tool, then question",
        "<|im_start|>user\nWeather?<|im_end|>\n"
            + "<|im_start|>assistant\nCall<|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n12\n</tool_response><|im_end|>\n"
            + "<|im_start|>assistant\nIt is 12.<|im_end|>\n"
            + "<|im_start|>user\nAnd <tool_response>x</tool_response><|im_end|>\n"
    )]
    [InlineData(
        "picture in a thought",
        "<|im_start|>user\nOne<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\n<|vision_start|><|image_pad|><|vision_end|> shown\n</think>\n\nHere<|vision_start|><|image_pad|><|vision_end|><|im_end|>\n"
            + "<|im_start|>user\n<tool_response>2</tool_response><|im_end|>\n"
    )]
    [InlineData(
        "answer",
        "<|im_start|>user\nWhat?<|im_end|>\n" + "<|im_start|>assistant\n<think>\n\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer with thought",
        "<|im_start|>user\nWhat?<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nA handle.\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer beside",
        "<|im_start|>user\nWhat?<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nA handle.\n</think>\n\nA cup.<|im_end|>\n"
    )]
    [InlineData(
        "answer after a call",
        "<|im_start|>user\nWeather?<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nLook.\n</think>\n\nCall<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\n\n</think>\n\nWait.<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nRead it.\n</think>\n\nIt is 12.<|im_end|>\n"
    )]
    public void Format_PublishedTemplate_GivesTheSame(string name, string expected)
    {
        var messages = Conversations[name];

        Assert.Equal(expected, Template.Format(messages, addGenerationPrompt: false));
        Assert.Equal(expected + Answer + Thought, Template.Format(messages));
        Assert.Equal(expected + Answer + Thought, Template.Format(messages, true, thinking: true));
        Assert.Equal(expected + Answer + NoThought, Template.Format(messages, true, thinking: false));
    }

    /// <summary>What stands before a given answer, and the answer, are the published string up to its end.</summary>
    [Theory]
    [InlineData("answer", "A cup.")]
    [InlineData("answer with thought", "A handle.\n</think>\n\nA cup.")]
    [InlineData("answer beside", "A handle.\n</think>\n\nA cup.")]
    [InlineData("answer after a call", "Read it.\n</think>\n\nIt is 12.")]
    public void CreateCompletion_GivenAnswer_IsThePublishedSequenceUpToTheAnswersEnd(string name, string answer)
    {
        var model = LoadedModels.Get(TestModels.Qwen35);
        var published = model.Template.Format(Conversations[name], addGenerationPrompt: false);
        var whole = published[..published.LastIndexOf("<|im_end|>", StringComparison.Ordinal)];
        var vocabulary = model.Vocabulary;

        using var completion = model.CreateCompletion(Conversations[name]);

        Assert.EndsWith(answer, whole, StringComparison.Ordinal);
        Assert.Equal(vocabulary.Tokenize(whole[..^answer.Length], parseMarkers: true), completion.TokenIds.ToArray());
        Assert.Equal(vocabulary.Tokenize(answer, parseMarkers: true).Length, completion.MaxAnswerTokens);
    }

    [Theory]
    [InlineData(null, Thought)]
    [InlineData(true, Thought)]
    [InlineData(false, NoThought)]
    public void CreateCompletion_Thinking_BeginsTheAnswer(bool? thinking, string opening)
    {
        var model = LoadedModels.Get(TestModels.Qwen35);

        using var completion = model.CreateCompletion([User("What?")], new() { Thinking = thinking });

        Assert.Equal(
            model.Vocabulary.Tokenize($"<|im_start|>user\nWhat?<|im_end|>\n{Answer}{opening}", parseMarkers: true),
            completion.TokenIds.ToArray()
        );
    }

    // The small models' template thinks only where it is asked to.
    [Theory]
    [InlineData("enable_thinking is defined and enable_thinking is true", Thought, NoThought)]
    [InlineData("enable_thinking is defined and enable_thinking is false", NoThought, Thought)]
    public void For_EitherBranchFirst_TheLastIsTheDefault(string condition, string first, string other)
    {
        static string Escaped(string text) => text.Replace("\n", "\\n", StringComparison.Ordinal);
        var template =
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
            + $"{{% if {condition} %}}{{{{ '{Escaped(first)}' }}}}{{% else %}}{{{{ '{Escaped(other)}' }}}}{{% endif %}}"
            + "{% endif %}";

        var read = ChatTemplate.For(template, ModelArchitecture.Qwen35);

        Assert.True(read.CanSwitchThinking);
        Assert.EndsWith(Answer + other, read.Format([User("Hi")]), StringComparison.Ordinal);
        Assert.EndsWith(Answer + Thought, read.Format([User("Hi")], true, thinking: true), StringComparison.Ordinal);
        Assert.EndsWith(Answer + NoThought, read.Format([User("Hi")], true, thinking: false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3vl", true, "knows no answers that begin so")]
    [InlineData("qwen3vl-thinking", false, "lets every answer begin with a thought")]
    public void CreateCompletion_NoSwitch_SaysSo(string name, bool thinking, string message)
    {
        var model = LoadedModels.Get(TestModels.Get(name));

        var error = Assert.Throws<InvalidInputException>(() =>
            model.CreateCompletion([User("What?")], new() { Thinking = thinking })
        );

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        using var completion = model.CreateCompletion([User("What?")], new() { Thinking = !thinking });
    }

    [Fact]
    public void Format_WhatTheTemplateRefuses_SaysSo()
    {
        ChatTurn[] late = [User("Hi"), new(TurnRole.System, "Late."), User("What?")];
        ChatTurn[] picture = [new(TurnRole.System, [Image]), User("What?")];
        ChatTurn[] none = [User("<tool_response>1</tool_response>")];

        Assert.Contains("not the first", Fault(late), StringComparison.Ordinal);
        Assert.Contains("holds more than text", Fault(picture), StringComparison.Ordinal);
        Assert.Contains("no question", Fault(none), StringComparison.Ordinal);

        static string Fault(ChatTurn[] turns) =>
            Assert.Throws<InvalidInputException>(() => Template.Format(turns)).Message;
    }

    private static ChatTurn User(string text) => new(TurnRole.User, text);

    private static ChatTurn Said(string text, string? thought = null) =>
        new(TurnRole.Assistant, text) { Thought = thought };
}
