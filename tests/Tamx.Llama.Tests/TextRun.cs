using System.Text;
using Tamx.Llama.Chat;

namespace Tamx.Llama.Tests;

/// <summary>
/// The child's side: cuts odd texts into tokens. llama_tokenize catches no exception of its own, and one that leaves it
/// ends the process.
/// </summary>
internal static class TextRun
{
    /// <summary>
    /// One character over and over: what regular expressions of tokenizers stumble over, if they are used.
    /// </summary>
    private const int Many = 50_000;

    public static int Run(string[] arguments)
    {
        var options = new ModelOptions() { ModelPath = arguments[0], ThreadCount = 1 };
        using var model = VisionLanguageModel.LoadAsync(options).GetAwaiter().GetResult();
        foreach (var (name, odd) in Texts())
        {
            Console.WriteLine($"starts {name}");
            var tokens = model.Vocabulary.Tokenize(odd, parseMarkers: odd.Length % 2 == 0);
            Console.WriteLine($"{name}: {tokens.Length} tokens");
        }

        for (var id = 0; id < model.Vocabulary.Count; id++)
        {
            _ = model.Vocabulary.GetBytes(id);
            _ = model.Vocabulary.EndsAnswer(id);
        }

        Console.WriteLine("starts prompt");
        var text = new TextPart("a\0b <|image_pad|> \uD800 <__media__>");
        using var completion = model.CreateCompletion([new ChatTurn(TurnRole.User, [text])]);
        Console.WriteLine($"prompt: {completion.PromptTokenCount} tokens");
        return 0;
    }

    private static IEnumerable<(string Name, string Text)> Texts()
    {
        foreach (
            var one in (string[])
                [
                    "a",
                    "7",
                    " ",
                    "\n",
                    "\r\n",
                    "\t",
                    "'",
                    "!",
                    "\0",
                    "\uD800",
                    "\uFFFD",
                    "\u00E4",
                    "\u4E2D",
                    "\U0001F600",
                    "\u0301",
                    "'s",
                    " a",
                    "<|im_end|>",
                ]
        )
        {
            var name = string.Concat(one.Select(c => $"U+{(int)c:X4}"));
            yield return ($"many {name}", new StringBuilder().Insert(0, one, Many / one.Length).ToString());
        }

        yield return ("nothing", "");
        yield return ("a megabyte of digits", new string('7', 1 << 20));
        yield return ("all of the first plane", string.Concat(Enumerable.Range(0, 0x10000).Select(c => (char)c)));
        yield return (
            "all the others",
            string.Concat(Enumerable.Range(0x10000, 0x30000).Select(char.ConvertFromUtf32))
        );
        var random = new Random(5);
        yield return ("noise", new string([.. Enumerable.Range(0, 200_000).Select(_ => (char)random.Next(0x10000))]));
    }
}
