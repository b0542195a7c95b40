using System.Text.Json;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>A run of the untied random model, and dumps of it as servers write them.</summary>
internal static class ServerDumps
{
    /// <summary>The run, with layer 0.</summary>
    public static Lazy<Task<Trace>> Run { get; } = new(RunAsync);

    public static int LayerCount => LoadedModels.Get("qwen3vl-untied").Facts.LayerCount;

    public static DumpOptions Options(Trace trace) =>
        new() { Grids = [(trace.ImageGrids[0].Rows / 2, trace.ImageGrids[0].Columns / 2)] };

    private static async Task<Trace> RunAsync()
    {
        var explanation = await Explainer.ExplainAsync(
            LoadedModels.Get("qwen3vl-untied"),
            [new ChatTurn(TurnRole.User, [TestPictures.Gradient(128, 96), new TextPart("Describe this image.")])],
            new ExplainOptions
            {
                Completion = new CompletionOptions { MaxNewTokens = 5, CandidateCount = 0 },
                Layers = [0],
                ExplainEndToken = false,
            },
            new ReferenceEngine()
        );
        return explanation.Trace;
    }

    /// <summary>States whose norm is these, of another length in each row.</summary>
    public static float[] Residual(float[] states)
    {
        var weight = new OutputNorm(
            Preflight.CheckModel(GgufModel.Open(TestModels.Qwen3VlUntied.ModelPath))
        ).Weight.ToArray();
        return [.. states.Select((value, i) => value / weight[i % weight.Length] * (20 + (i / weight.Length % 7)))];
    }

    public static void WriteVllm(string path, Trace trace, bool isHalf)
    {
        var (rows, size) = (trace.HiddenRowCount, trace.HiddenSize);
        var (first, last) = (Residual(trace.Layers[0].HiddenStates.ToArray()), Residual(trace.HiddenStates.ToArray()));
        float[] states =
        [
            .. Enumerable
                .Range(0, rows)
                .SelectMany(row =>
                    first[(row * size)..((row + 1) * size)].Concat(last[(row * size)..((row + 1) * size)])
                ),
        ];
        TensorPart.Write(
            path,
            isHalf
                ? TensorPart.BFloats("hidden_states", states, rows, 2, size)
                : TensorPart.Singles("hidden_states", states, rows, 2, size),
            TensorPart.Integers("token_ids", [.. trace.TokenIds], trace.TokenIds.Length)
        );
    }

    public static void WriteSglang(string path, Trace trace, bool isExpanded, bool withInput)
    {
        var prompt = trace.TokenIds.Length - 5;
        var rows = trace.HiddenStates.ToArray().Chunk(trace.HiddenSize).ToList();
        var ids = trace.TokenIds.Take(prompt);
        if (!isExpanded)
        {
            ids = ids.Where((id, i) => i == 0 || id != trace.Markers.ImagePad || trace.TokenIds[i - 1] != id);
        }

        var answer = new Dictionary<string, object>
        {
            ["text"] = "x",
            ["output_ids"] = trace.TokenIds.Skip(prompt),
            ["meta_info"] = new Dictionary<string, object>
            {
                ["hidden_states"] = rows.Skip(prompt).Cast<object>().Prepend(rows.Take(prompt)),
            },
        };
        if (withInput)
        {
            answer["input_ids"] = ids;
        }

        File.WriteAllText(path, JsonSerializer.Serialize(answer));
    }
}
