using Tamx.Llama;

namespace Tamx;

/// <summary>
/// What is read of the model that made a run: from a GGUF, or from the folder of its makers' own files. The model is
/// not loaded.
/// </summary>
internal sealed class RunModel
{
    /// <summary>Its name in messages: the parameter by which a caller gives it.</summary>
    public static Setting Setting { get; } = new("modelPath");

    /// <summary>The GGUF or the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The output embedding (lm_head).</summary>
    public required OutputEmbedding OutputEmbedding { get; init; }

    /// <summary>The norm before it.</summary>
    public required OutputNorm OutputNorm { get; init; }

    /// <summary>A token's bytes. Its id must be below <see cref="OutputEmbedding.TokenCount"/>.</summary>
    public required Func<int, byte[]> GetBytes { get; init; }

    /// <summary>Looks the markers up in the vocabulary.</summary>
    public required Func<MarkerIds> FindMarkers { get; init; }

    /// <summary>What is known of it.</summary>
    public required RunInfo Run { get; init; }

    /// <summary>How it cuts pictures into cells; null where its files do not say.</summary>
    public PictureCells? Cells { get; init; }

    /// <summary>Opens a model's file. Refuses a model that cannot have made the run.</summary>
    /// <param name="path">The GGUF, or a folder of safetensors.</param>
    /// <param name="hiddenSize">Hidden size of the run.</param>
    /// <param name="idsInUse">Token ids of the run.</param>
    /// <param name="tracePath">The run's file, for messages; null for a trace built in code.</param>
    /// <exception cref="TraceFormatException">The run is not this model's.</exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    public static RunModel Open(string path, int hiddenSize, IEnumerable<int> idsInUse, string? tracePath)
    {
        var model = Directory.Exists(path) ? Checkpoint.Open(path) : OpenGguf(path);
        var (size, count) = (model.OutputEmbedding.HiddenSize, model.OutputEmbedding.TokenCount);
        if (size != hiddenSize)
        {
            throw Fault($"its hidden states have {hiddenSize} values, those of {path} {size}");
        }

        var last = idsInUse.DefaultIfEmpty(-1).Max();
        return last < count ? model : throw Fault($"it holds the token id {last}, but {path} has {count} tokens");

        TraceFormatException Fault(string message) => Other(tracePath, message);
    }

    /// <summary>What a run without output-embedding rows takes from its model.</summary>
    /// <param name="ids">The ids in use, ascending.</param>
    public RunOutput ReadOutput(int[] ids) =>
        new(
            ids,
            OutputEmbedding.ReadRows(ids),
            [.. ids.Select(id => (ReadOnlyMemory<byte>)GetBytes(id))],
            FindMarkers(),
            Run
        );

    /// <summary>The error for a run and a model that do not fit.</summary>
    public static TraceFormatException Other(string? tracePath, string message) =>
        new(tracePath, (FormattableString)$"{message}; give the model that the run was made with ({Setting})");

    private static RunModel OpenGguf(string path)
    {
        var tokens = ModelTokens.Open(path);
        var facts = tokens.Facts;
        return new RunModel
        {
            Path = path,
            OutputEmbedding = tokens.OutputEmbedding,
            OutputNorm = new OutputNorm(facts),
            GetBytes = tokens.GetBytes,
            FindMarkers = () => MarkerIds.Find(tokens),
            Run = new RunInfo
            {
                Model = facts.Name,
                ModelDescription = facts.Description,
                ModelFile = System.IO.Path.GetFileName(path),
                Architecture = facts.Architecture,
                Quantization = facts.Quantization,
            },
        };
    }
}

/// <summary>Output-embedding rows and texts of the ids that a run uses, and what is known of its model.</summary>
internal sealed record RunOutput(
    int[] Ids,
    float[] Rows,
    IReadOnlyList<ReadOnlyMemory<byte>>? Texts,
    MarkerIds Markers,
    RunInfo Run
);
