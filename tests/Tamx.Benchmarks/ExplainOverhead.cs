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
/// What explaining costs beside the model: capture, maps and report, a layer more, evidence, and verdicts, against plain
/// generation of as many tokens for the same prompt, through the same binding. The model is random, of real ones' shape:
/// 151,936 words, 28 layers, some 300 million parameters, Q8_0. All ways must write the same number of tokens.
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

    /// <summary>What is added to plain generation, by name.</summary>
    private static readonly (string Way, string What)[] Ways =
    [
        ("plain", "plain generation"),
        ("explain", "explained: capture, maps of 3 candidates, report"),
        ("layer", "the same, with the hidden states of one layer more"),
        ("evidence", "explained by evidence: attention, values, products with W_O"),
        ("verdicts", "explained, and a verdict per word: one more reading, with a neutral picture"),
    ];

    /// <summary>
    /// Makes the model, measures each way in turns, and memory in a process of its own for each.
    /// </summary>
    /// <param name="output">Receives a table.</param>
    /// <param name="roundCount">Rounds to time, after one that warms up.</param>
    /// <param name="withMemory">Whether to measure memory, which loads the model once more for each way.</param>
    public static async Task WriteAsync(TextWriter output, int roundCount, bool withMemory)
    {
        using var folder = new TemporaryFolder();
        var (modelPath, projectorPath) = WriteModel(folder);
        var times = Ways.ToDictionary(way => way.Way, _ => new List<double>());
        using (var model = await LoadAsync(modelPath, projectorPath))
        {
            for (var round = 0; round <= roundCount; round++)
            {
                foreach (var (way, _) in Ways)
                {
                    times[way].Add(await TimeAsync(model, way));
                }
            }
        }

        output.WriteLine(withMemory ? "| | time | more | peak memory |" : "| | time | more |");
        output.WriteLine(withMemory ? "| --- | --- | --- | --- |" : "| --- | --- | --- |");
        foreach (var (way, what) in Ways)
        {
            // What else the machine does falls on all of a round alike, so the rounds' ratios count. A layer more is
            // compared with the maps without it.
            var baseline = way == "layer" ? "explain" : "plain";
            double[] ratios = [.. times[baseline].Zip(times[way], (one, other) => (other / one) - 1).Skip(1).Order()];
            var more = way == "plain" ? "" : Text($"{ratios[ratios.Length / 2]:P1} of {baseline}");
            var memory = withMemory ? Text($" {MeasurePeak(way, modelPath, projectorPath) / 1e6:F0} MB |") : "";
            output.WriteLine(Text($"| {what} | {times[way].Skip(1).Min():F2} s | {more} |") + memory);
        }

        output.WriteLine();
        output.WriteLine(
            Text(
                $"Medians of the ratios of {roundCount} rounds; the times are the best of each. {Environment.ProcessorCount} processors, {TokenCount} tokens."
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
        var start = Stopwatch.GetTimestamp();
        var count =
            way == "plain"
                ? await GenerateAsync(model, options)
                : await ExplainAsync(model, options, way, folder.File("report.html"));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
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
        var count = 0;
        await foreach (var token in completion.GenerateAsync())
        {
            count++;
        }

        return count;
    }

    private static async Task<int> ExplainAsync(
        VisionLanguageModel model,
        CompletionOptions options,
        string way,
        string report
    )
    {
        var explain = new ExplainOptions
        {
            Completion = options with { CandidateCount = 3 },
            Layers = way == "layer" ? [model.Facts.LayerCount / 2] : [],
            Tam = new TamOptions().WithMethod(way == "evidence" ? MapMethod.Evidence : MapMethod.Tam),
        };
        var explanation = await Explainer.ExplainAsync(model, Messages(), explain);
        var supports = way == "verdicts" ? await WordSupport.MeasureAsync(model, Messages(), explanation) : [];
        await HtmlReport.WriteAsync(
            explanation.Trace,
            explanation.Maps,
            report,
            new HtmlReportOptions { Supports = supports }
        );
        return explanation.Maps.Answer.Count;
    }

    private static (string ModelPath, string ProjectorPath) WriteModel(TemporaryFolder folder)
    {
        var (plainPath, projectorPath) = RandomModel.Write(folder.Path, Shape);
        var path = folder.File("overhead-q8_0.gguf");
        LlamaModel.Quantize(plainPath, path, LLamaFtype.MOSTLY_Q8_0, Environment.ProcessorCount);
        File.Delete(plainPath);
        return (path, projectorPath);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
