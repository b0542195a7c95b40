using System.Diagnostics;
using System.Globalization;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;
using Tamx.Report;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// What explaining costs beside the model: capture, maps and report against plain generation of as many tokens for the same prompt, through the same binding.
/// The model is random, of a real one's shape: 151,936 words, some 300 million parameters, Q8_0. Both ways must write the same number of tokens.
/// </summary>
internal static class ExplainOverhead
{
    private const int TokenCount = 96;
    private const int RoundCount = 3;
    private const int Q8File = 7;

    private static readonly RandomModelOptions Shape = new()
    {
        Name = "overhead",
        WeightType = TensorType.F16,
        VocabularySize = 151936,
        HiddenSize = 1024,
        FeedForwardSize = 3072,
        LayerCount = 12,
        HeadCount = 16,
        KeyValueHeadCount = 8,
        VisionHiddenSize = 256,
        VisionFeedForwardSize = 512,
        VisionLayerCount = 4,
        VisionHeadCount = 4,
    };

    /// <summary>Makes the model and measures both ways in turns, each in a process of its own.</summary>
    public static void Write(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var (modelPath, projectorPath) = WriteModel(folder);
        var plain = new List<(double Seconds, double Bytes)>();
        var explained = new List<(double Seconds, double Bytes)>();
        for (int round = 0; round < RoundCount; round++)
        {
            plain.Add(RunAlone("plain", modelPath, projectorPath));
            explained.Add(RunAlone("explain", modelPath, projectorPath));
        }

        var (plainSeconds, plainBytes) = (plain.Min(run => run.Seconds), plain.Max(run => run.Bytes));
        var (seconds, bytes) = (explained.Min(run => run.Seconds), explained.Max(run => run.Bytes));
        output.WriteLine("| | time | peak memory |");
        output.WriteLine("| --- | --- | --- |");
        output.WriteLine(Row("plain generation", plainSeconds, plainBytes));
        output.WriteLine(Row("explained: capture, maps of 3 candidates, report", seconds, bytes));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| more | {(seconds / plainSeconds) - 1:P1} | {(bytes - plainBytes) / 1e6:F0} MB |"));
    }

    /// <summary>The part of a process of its own: best seconds of a few answers, and peak bytes.</summary>
    public static async Task WriteOneAsync(TextWriter output, string way, string modelPath, string projectorPath)
    {
        using var folder = new TemporaryFolder();
        string report = folder.File("report.html");
        using var model = await VisionLanguageModel.LoadAsync(new ModelOptions
        {
            ModelPath = modelPath,
            ProjectorPath = projectorPath,
            ThreadCount = Environment.ProcessorCount,
        });

        var options = new CompletionOptions { MaxNewTokens = TokenCount };
        double best = double.PositiveInfinity;
        int count = 0;
        for (int round = 0; round < 3; round++)
        {
            long start = Stopwatch.GetTimestamp();
            count = way == "plain" ? await GenerateAsync(model, options) : await ExplainAsync(model, options, report);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{best} {ResidentMemory.Peak} {count}"));
    }

    private static ChatMessage[] Messages() =>
        [new(ChatRole.User, [TestPictures.Gradient(512, 512), new TextPart("What is in this picture, and where does each thing stand?")])];

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
        var explanation = await Explainer.ExplainAsync(model, Messages(), new ExplainOptions { Completion = options with { CandidateCount = 3 } });
        await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, report);
        return explanation.Maps.Answer.Count;
    }

    private static (string ModelPath, string ProjectorPath) WriteModel(TemporaryFolder folder)
    {
        var (plainPath, projectorPath) = RandomModel.Write(folder.Path, Shape);
        string path = folder.File("overhead-q8_0.gguf");
        LlamaRuntime.EnsureInitialized();
        NativeMethods.QuantizeModel(plainPath, path, Q8File, Environment.ProcessorCount).ThrowIfFailed();
        File.Delete(plainPath);
        return (path, projectorPath);
    }

    private static (double Seconds, double Bytes) RunAlone(string way, string modelPath, string projectorPath)
    {
        string[] fields = ChildProcess.Run(["--overhead", way, modelPath, projectorPath]).Split(' ');
        int count = int.Parse(fields[2], CultureInfo.InvariantCulture);
        return count == TokenCount
            ? (double.Parse(fields[0], CultureInfo.InvariantCulture), double.Parse(fields[1], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The answer has {count} tokens, not {TokenCount}.");
    }

    private static string Row(string what, double seconds, double bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds:F2} s | {bytes / 1e6:F0} MB |");
}
