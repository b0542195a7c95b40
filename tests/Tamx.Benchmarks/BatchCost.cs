using System.Diagnostics;
using System.Globalization;
using Tamx.Evaluation;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// What <c>tamx batch</c> costs beside <see cref="Explainer"/>'s calls in one process, and what a second worker gains.
/// Rows are scenes, the model is the demo model on one thread. A program's start is not counted: each way runs with
/// few rows and with many, and only what the others add is compared.
/// </summary>
internal static class BatchCost
{
    private const int FewRows = 40;
    private const int ManyRows = 240;

    /// <summary>Writes a table.</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="roundCount">Rounds to time.</param>
    public static async Task WriteAsync(TextWriter output, int roundCount)
    {
        using var folder = new TemporaryFolder();
        foreach (var count in (int[])[FewRows, ManyRows])
        {
            var pictures = Directory.CreateDirectory(folder.File($"{count}")).FullName;
            foreach (var (index, sample) in SceneSamples.Generate(1, count).Index())
            {
                await File.WriteAllBytesAsync(
                    Path.Combine(pictures, Text($"{index:D4}.bmp")),
                    sample.Picture.Encoded.ToArray()
                );
            }
        }

        List<double> batch = [];
        List<double> workers = [];
        for (var round = 0; round < roundCount; round++)
        {
            var calls = Measure(count => ChildProcess.RunAgain("--batch", folder.File($"{count}")));
            var one = Measure(count => RunBatch(folder, count, "1"));
            var two = Measure(count => RunBatch(folder, count, "2"));
            output.WriteLine(
                Text(
                    $"{calls * 1e3:F1} ms a row by calls, {one * 1e3:F1} by tamx batch, {two * 1e3:F1} with two workers"
                )
            );
            batch.Add((one / calls) - 1);
            workers.Add(one / two);
        }

        output.WriteLine(
            Text($"tamx batch takes {Median(batch):P1} more than calls; two workers are {Median(workers):F2} as fast")
        );
    }

    /// <summary>The part of a process of its own: explains each picture of a folder.</summary>
    public static async Task WriteOneAsync(TextWriter output, string folder)
    {
        using var model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = Path.Combine(Demo, "tamx-demo-grounded-f16.gguf"),
                ProjectorPath = Path.Combine(Demo, "mmproj-tamx-demo-grounded-f16.gguf"),
                ThreadCount = 1,
            }
        );
        var wordCount = 0;
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            var turn = new ChatTurn(
                TurnRole.User,
                [
                    new ImagePart(await File.ReadAllBytesAsync(path), Path.GetFileName(path)),
                    new TextPart("Describe this image."),
                ]
            );
            wordCount += (await Explainer.ExplainAsync(model, [turn])).Maps.Words.Count;
        }

        output.WriteLine(wordCount);
    }

    private static string Demo => Path.Combine(AppContext.BaseDirectory, "demo");

    /// <summary>Seconds that a row adds.</summary>
    private static double Measure(Action<int> run)
    {
        return (Time(ManyRows) - Time(FewRows)) / (ManyRows - FewRows);

        double Time(int count)
        {
            var start = Stopwatch.GetTimestamp();
            run(count);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static void RunBatch(TemporaryFolder folder, int count, string workers)
    {
        var results = folder.File("out");
        var program = Path.Combine(AppContext.BaseDirectory, "Tamx.Cli.dll");
        string[] command =
        [
            program,
            "batch",
            folder.File($"{count}"),
            "-o",
            results,
            "-p",
            "Describe this image.",
            "-t",
            "1",
            "--workers",
            workers,
        ];
        ChildProcess.Run("dotnet", command);
        Directory.Delete(results, recursive: true);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
