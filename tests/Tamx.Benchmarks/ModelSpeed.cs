using System.Diagnostics;
using System.Globalization;
using LLama.Native;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// How fast a model reads a prompt and writes an answer, hidden states captured, for the usual quantizations: alone,
/// and with two programs beside it that keep the processors busy. Each figure is the best of several processes, taken
/// in turns.
/// </summary>
internal static class ModelSpeed
{
    private const int TokenCount = 96;
    private const int RoundCount = 4;

    /// <summary>The end of a program that was forgotten.</summary>
    private static readonly TimeSpan LongestBurn = TimeSpan.FromMinutes(5);

    private static readonly (string Name, LLamaFtype? Type)[] Weights =
    [
        ("F16", null),
        ("Q8_0", LLamaFtype.MOSTLY_Q8_0),
        ("Q4_K_M", LLamaFtype.MOSTLY_Q4_K_M),
    ];

    /// <summary>Makes the models and measures.</summary>
    /// <param name="output">Receives a table.</param>
    public static void Write(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var (plainPath, projectorPath) = RandomModel.Write(folder.Path, ExplainOverhead.Shape);
        output.WriteLine("| weights | beside it | prompt | answer |");
        output.WriteLine("| --- | --- | --- | --- |");
        foreach (var (name, type) in Weights)
        {
            var path = plainPath;
            if (type is { } quantized)
            {
                path = folder.File($"{name}.gguf");
                LlamaModel.Quantize(plainPath, path, quantized, Environment.ProcessorCount);
            }

            var alone = Measure(path, projectorPath);
            var burners = Enumerable.Range(0, 2).Select(_ => ChildProcess.StartAgain("--speed", "burn")).ToArray();
            try
            {
                var beside = Measure(path, projectorPath);
                output.WriteLine(Row(name, "nothing", alone));
                output.WriteLine(Row(name, "two busy programs", beside));
            }
            finally
            {
                foreach (var burner in burners)
                {
                    burner.Kill();
                    burner.Dispose();
                }
            }
        }
    }

    /// <summary>The part of a process of its own: milliseconds per prompt token and per answer token.</summary>
    public static async Task WriteOneAsync(TextWriter output, string modelPath, string projectorPath)
    {
        using var model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = modelPath,
                ProjectorPath = projectorPath,
                ThreadCount = Environment.ProcessorCount,
            }
        );
        ChatTurn[] messages =
        [
            new(TurnRole.User, [TestPictures.Gradient(512, 512), new TextPart("What is in this picture?")]),
        ];
        using var completion = model.CreateCompletion(messages, new CompletionOptions { MaxNewTokens = TokenCount });
        var start = Stopwatch.GetTimestamp();
        await completion.PrefillAsync();
        var prompt = Stopwatch.GetElapsedTime(start).TotalMilliseconds / completion.PromptTokenCount;
        start = Stopwatch.GetTimestamp();
        var count = 0;
        await foreach (var token in completion.GenerateAsync())
        {
            count++;
        }

        var answer = Stopwatch.GetElapsedTime(start).TotalMilliseconds / count;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{prompt} {answer}"));
    }

    /// <summary>Keeps a processor busy until it is killed.</summary>
    public static void Burn()
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < LongestBurn)
        {
            Thread.SpinWait(1000);
        }
    }

    private static (double Prompt, double Answer) Measure(string modelPath, string projectorPath)
    {
        var best = (Prompt: double.PositiveInfinity, Answer: double.PositiveInfinity);
        for (var round = 0; round < RoundCount; round++)
        {
            double[] figures =
            [
                .. ChildProcess
                    .RunAgain("--speed", modelPath, projectorPath)
                    .Split(' ')
                    .Select(text => double.Parse(text, CultureInfo.InvariantCulture)),
            ];
            best = (Math.Min(best.Prompt, figures[0]), Math.Min(best.Answer, figures[1]));
        }

        return best;
    }

    private static string Row(string name, string beside, (double Prompt, double Answer) figures) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {beside} | {figures.Prompt:F2} ms a token | {figures.Answer:F1} ms a token |"
        );
}
