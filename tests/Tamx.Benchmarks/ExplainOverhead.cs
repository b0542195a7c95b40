using System.Diagnostics;
using System.Globalization;
using LLama.Native;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Report;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// What explaining costs beside the model: capture, maps and report against plain generation of as many tokens for the
/// same prompt, through the same binding. The model is random, of real ones' shape: 151,936 words, 28 layers, some 300
/// million parameters, Q8_0. Both ways must write the same number of tokens.
/// </summary>
internal static class ExplainOverhead
{
    private const int TokenCount = 96;

    /// <summary>Some 300 million parameters, in the proportions of small models of the family.</summary>
    internal static readonly RandomModelOptions Shape = new()
    {
        Name = "overhead",
        WeightType = TensorType.F16,
        VocabularySize = 151936,
        HiddenSize = 768,
        FeedForwardSize = 2304,
        LayerCount = 28,
        HeadCount = 12,
        KeyValueHeadCount = 6,
        VisionHiddenSize = 256,
        VisionFeedForwardSize = 512,
        VisionLayerCount = 4,
        VisionHeadCount = 4,
    };

    /// <summary>
    /// Makes the model, measures time both ways in turns, and memory in a process of its own for each.
    /// </summary>
    /// <param name="output">Receives a table.</param>
    /// <param name="roundCount">Pairs to time, after one that warms up.</param>
    public static async Task WriteAsync(TextWriter output, int roundCount)
    {
        using var folder = new TemporaryFolder();
        var (modelPath, projectorPath) = WriteModel(folder);
        var plain = new List<double>();
        var explained = new List<double>();
        using (var model = await LoadAsync(modelPath, projectorPath))
        {
            for (int round = 0; round <= roundCount; round++)
            {
                plain.Add(await TimeAsync(model, "plain"));
                explained.Add(await TimeAsync(model, "explain"));
            }
        }

        // What else the machine does falls on both of a pair alike, so the pairs' ratios count.
        double ratio = plain.Zip(explained, (one, other) => other / one).Skip(1).Order().ElementAt(roundCount / 2);
        double plainBytes = MeasurePeak("plain", modelPath, projectorPath);
        double bytes = MeasurePeak("explain", modelPath, projectorPath);
        output.WriteLine("| | time | peak memory |");
        output.WriteLine("| --- | --- | --- |");
        output.WriteLine(Row("plain generation", plain.Min(), plainBytes));
        output.WriteLine(Row("explained: capture, maps of 3 candidates, report", explained.Min(), bytes));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| more | {ratio - 1:P1} (median of pairs) | {(bytes - plainBytes) / 1e6:F0} MB |"
            )
        );
    }

    /// <summary>The part of a process of its own: peak bytes after one answer.</summary>
    public static async Task WriteOneAsync(TextWriter output, string way, string modelPath, string projectorPath)
    {
        using var model = await LoadAsync(modelPath, projectorPath);
        await TimeAsync(model, way);
        output.WriteLine(ResidentMemory.Peak.ToString(CultureInfo.InvariantCulture));
    }

    private static Task<VisionLanguageModel> LoadAsync(string modelPath, string projectorPath) =>
        VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = modelPath,
                ProjectorPath = projectorPath,
                ThreadCount = Environment.ProcessorCount,
            }
        );

    private static async Task<double> TimeAsync(VisionLanguageModel model, string way)
    {
        using var folder = new TemporaryFolder();
        var options = new CompletionOptions { MaxNewTokens = TokenCount };
        long start = Stopwatch.GetTimestamp();
        int count =
            way == "plain"
                ? await GenerateAsync(model, options)
                : await ExplainAsync(model, options, folder.File("report.html"));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return count == TokenCount
            ? seconds
            : throw new InvalidOperationException($"The answer has {count} tokens, not {TokenCount}.");
    }

    private static double MeasurePeak(string way, string modelPath, string projectorPath) =>
        double.Parse(ChildProcess.RunAgain("--overhead", way, modelPath, projectorPath), CultureInfo.InvariantCulture);

    private static ChatTurn[] Messages() =>
        [
            new(
                TurnRole.User,
                [
                    TestPictures.Gradient(512, 512),
                    new TextPart("What is in this picture, and where does each thing stand?"),
                ]
            ),
        ];

    private static async Task<int> GenerateAsync(VisionLanguageModel model, CompletionOptions options)
    {
        using var completion = model.CreateCompletion(Messages(), options with { CaptureHiddenStates = false });
        int count = 0;
        await foreach (var token in completion.GenerateAsync())
        {
            count++;
        }

        return count;
    }

    private static async Task<int> ExplainAsync(VisionLanguageModel model, CompletionOptions options, string report)
    {
        var explanation = await Explainer.ExplainAsync(
            model,
            Messages(),
            new ExplainOptions { Completion = options with { CandidateCount = 3 } }
        );
        await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, report);
        return explanation.Maps.Answer.Count;
    }

    private static (string ModelPath, string ProjectorPath) WriteModel(TemporaryFolder folder)
    {
        var (plainPath, projectorPath) = RandomModel.Write(folder.Path, Shape);
        string path = folder.File("overhead-q8_0.gguf");
        LlamaModel.Quantize(plainPath, path, LLamaFtype.MOSTLY_Q8_0, Environment.ProcessorCount);
        File.Delete(plainPath);
        return (path, projectorPath);
    }

    private static string Row(string what, double seconds, double bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds:F2} s | {bytes / 1e6:F0} MB |");
}
