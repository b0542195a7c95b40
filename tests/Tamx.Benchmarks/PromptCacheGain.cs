using System.Diagnostics;
using System.Globalization;
using LLama.Native;
using Tamx.Evaluation;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// What <see cref="PromptCache"/> gains where several questions are asked about one picture, one after another, and
/// what it costs where every picture is another. Answers are explained, as <c>tamx batch</c> does. With and without it
/// in turns; medians of the rounds' ratios. The demo model runs on one thread, as with a worker for each core: on two it
/// mostly waits for the other thread where the machine is busy.
/// </summary>
internal static class PromptCacheGain
{
    private const int WarmUps = 2;

    private static readonly string[] Questions =
    [
        "Describe this image.",
        "What is in this picture?",
        "Which of the things is the largest, and where does it stand?",
        "How many things are there?",
    ];

    /// <summary>Writes a table.</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="roundCount">Rounds to time, after two that warm up; three times as many of the small model.</param>
    public static async Task WriteAsync(TextWriter output, int roundCount)
    {
        using var folder = new TemporaryFolder();
        var demo = Path.Combine(AppContext.BaseDirectory, "demo");
        var (plainPath, projectorPath) = RandomModel.Write(folder.Path, ExplainOverhead.Shape);
        var path = folder.File("q8_0.gguf");
        LlamaModel.Quantize(plainPath, path, LLamaFtype.MOSTLY_Q8_0, Environment.ProcessorCount);
        output.WriteLine("| model | answers | rows of one picture | time without | with | as fast | processor time |");
        output.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        await WriteAsync(
            "the demo model, one thread",
            1,
            Path.Combine(demo, "tamx-demo-grounded-f16.gguf"),
            Path.Combine(demo, "mmproj-tamx-demo-grounded-f16.gguf"),
            [.. SceneSamples.Generate(1, 4).Select(sample => sample.Picture)],
            [(256, 4, 3 * roundCount), (256, 1, 3 * roundCount)]
        );
        await WriteAsync(
            "300 M random parameters, Q8_0, all threads",
            Environment.ProcessorCount,
            path,
            projectorPath,
            [TestVideos.Frame(0, 512, 512)],
            [(16, 4, roundCount), (96, 4, roundCount)]
        );

        async Task WriteAsync(
            string name,
            int threadCount,
            string modelPath,
            string projectorPath,
            IReadOnlyList<ImagePart> pictures,
            (int Most, int Each, int Rounds)[] cases
        )
        {
            using var model = await VisionLanguageModel.LoadAsync(
                new ModelOptions
                {
                    ModelPath = modelPath,
                    ProjectorPath = projectorPath,
                    ThreadCount = threadCount,
                }
            );
            using var engine = TamEngines.Create(
                new EngineOptions { Kind = EngineKind.Cpu, ThreadCount = threadCount }
            );
            foreach (var (most, each, rounds) in cases)
            {
                List<(double Wall, double Processor)> ratios = [];
                var (without, with) = (double.PositiveInfinity, double.PositiveInfinity);
                for (var round = -WarmUps; round < rounds; round++)
                {
                    var (ownWall, ownProcessor) = await TimeAsync(null);
                    using var cache = new PromptCache();
                    var (wall, processor) = await TimeAsync(cache);
                    if (round >= 0)
                    {
                        ratios.Add((ownWall / wall, ownProcessor / processor));
                        (without, with) = (Math.Min(without, ownWall), Math.Min(with, wall));
                    }
                }

                var rows = pictures.Count * each;
                output.WriteLine(
                    Text(
                        $"| {name} | up to {most} tokens | {each} | {without / rows * 1e3:F1} ms a row | {with / rows * 1e3:F1} ms | {Median(ratios.Select(ratio => ratio.Wall)):F2} | {Median(ratios.Select(ratio => ratio.Processor)):F2} |"
                    )
                );

                async Task<(double Wall, double Processor)> TimeAsync(PromptCache? cache)
                {
                    var options = new ExplainOptions
                    {
                        Completion = new CompletionOptions
                        {
                            MaxNewTokens = most,
                            CandidateCount = 3,
                            PromptCache = cache,
                        },
                    };
                    var start = Stopwatch.GetTimestamp();
                    var before = Environment.CpuUsage.UserTime;
                    foreach (var picture in pictures)
                    {
                        foreach (var question in Questions.Take(each))
                        {
                            ChatTurn[] turns = [new(TurnRole.User, [picture, new TextPart(question)])];
                            await Explainer.ExplainAsync(model, turns, options, engine);
                        }
                    }

                    return (
                        Stopwatch.GetElapsedTime(start).TotalSeconds,
                        (Environment.CpuUsage.UserTime - before).TotalSeconds
                    );
                }
            }
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
