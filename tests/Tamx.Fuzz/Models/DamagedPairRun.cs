using System.Globalization;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>What became of a damaged pair.</summary>
internal enum PairOutcome
{
    /// <summary>Pre-flight refused it.</summary>
    Refused,

    /// <summary>It was loaded and two tokens were decoded.</summary>
    Decoded,

    /// <summary>It was loaded, and the prompt did not fit its context.</summary>
    TooSmall,

    /// <summary>It passed pre-flight and could not be loaded or decoded all the same; nothing ended.</summary>
    Failed,
}

/// <summary>
/// The child's side: takes damaged pairs one after another and says on its standard output what became of each.
/// </summary>
internal static class DamagedPairRun
{
    private static readonly ImagePart Picture = TestPictures.Gradient(32, 24);

    /// <summary>Takes pairs from a number on until so many have passed pre-flight.</summary>
    /// <param name="arguments">Seed, first number, and how many shall pass.</param>
    public static int Run(string[] arguments)
    {
        var seed = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var number = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        var wanted = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        using var folder = new TemporaryFolder();
        while (wanted > 0)
        {
            var pair = DamagedPair.Make(seed, number);
            Console.WriteLine($"{number} starts {pair.Description}");
            var (outcome, message) = Try(pair.Save(folder.Path), number % 2 == 0);
            Console.WriteLine($"{number} {outcome} {message}");
            wanted -= outcome == PairOutcome.Refused ? 0 : 1;
            number++;
        }

        return 0;
    }

    private static (PairOutcome Outcome, string Message) Try(ModelFiles files, bool withPicture)
    {
        try
        {
            var model = Preflight.CheckModel(GgufModel.Open(files.ModelPath));
            Preflight.CheckPair(model, Preflight.CheckProjector(GgufModel.Open(files.ProjectorPath)));
        }
        catch (ModelFormatException exception)
        {
            return (PairOutcome.Refused, Line(exception.Message));
        }

        try
        {
            return (PairOutcome.Decoded, Decode(files, withPicture).GetAwaiter().GetResult());
        }
        catch (InvalidInputException exception)
            when (exception.Message.Contains("was trained for", StringComparison.Ordinal))
        {
            return (PairOutcome.TooSmall, Line(exception.Message));
        }
        catch (LlamaException exception) when (exception.Message.Contains("not finite", StringComparison.Ordinal))
        {
            // Weights that are no numbers are decoded like any others.
            return (PairOutcome.Decoded, Line(exception.Message));
        }
        catch (Exception exception)
        {
            return (PairOutcome.Failed, $"{exception.GetType().Name}: {Line(exception.Message)}");
        }
    }

    private static async Task<string> Decode(ModelFiles files, bool withPicture)
    {
        using var model = await VisionLanguageModel.LoadAsync(
            new()
            {
                ModelPath = files.ModelPath,
                ProjectorPath = files.ProjectorPath,
                ThreadCount = 1,
            }
        );
        var text = new TextPart("What? 12345 \u00E4\u4E2D\U0001F600 \0 \r\n\r\n   x");
        var question = new ChatTurn(TurnRole.User, withPicture ? [Picture, text] : [text]);
        using var completion = model.CreateCompletion([question], new() { MaxNewTokens = 2, CandidateCount = 2 });
        var ids = new List<int>();
        await foreach (var token in completion.GenerateAsync())
        {
            ids.Add(token.Id);
        }

        return string.Join(' ', ids);
    }

    private static string Line(string text) => text.ReplaceLineEndings(" ");
}
