using Tamx.Llama;

namespace Tamx;

/// <summary>The file of the model that made a run.</summary>
internal static class RunModel
{
    /// <summary>Its name in messages: the parameter by which a caller gives it.</summary>
    public static Setting Setting { get; } = new("modelPath");

    /// <summary>Opens a model's file. Refuses a model that cannot have made the run.</summary>
    /// <param name="path">The GGUF.</param>
    /// <param name="hiddenSize">Hidden size of the run.</param>
    /// <param name="idsInUse">Token ids of the run.</param>
    /// <param name="tracePath">The run's file, for messages; null for a trace built in code.</param>
    /// <exception cref="TraceFormatException">The run is not this model's.</exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    public static ModelTokens Open(string path, int hiddenSize, IEnumerable<int> idsInUse, string? tracePath)
    {
        var model = ModelTokens.Open(path);
        var (size, count) = (model.Facts.HiddenSize, model.Facts.VocabularySize);
        if (size != hiddenSize)
        {
            throw Fault($"its hidden states have {hiddenSize} values, those of {path} {size}");
        }

        var last = idsInUse.DefaultIfEmpty(-1).Max();
        return last < count ? model : throw Fault($"it holds the token id {last}, but {path} has {count} tokens");

        TraceFormatException Fault(string message) => Other(tracePath, message);
    }

    /// <summary>What a run without output-embedding rows takes from its model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Its file.</param>
    /// <param name="ids">The ids in use, ascending.</param>
    public static RunOutput ReadOutput(ModelTokens model, string path, int[] ids) =>
        new(
            ids,
            model.OutputEmbedding.ReadRows(ids),
            [.. ids.Select(id => (ReadOnlyMemory<byte>)model.GetBytes(id))],
            MarkerIds.Find(model),
            new RunInfo
            {
                Model = model.Facts.Name,
                ModelDescription = model.Facts.Description,
                ModelFile = Path.GetFileName(path),
                Architecture = model.Facts.Architecture,
                Quantization = model.Facts.Quantization,
            }
        );

    /// <summary>The error for a run and a model that do not fit.</summary>
    public static TraceFormatException Other(string? tracePath, string message) =>
        new(tracePath, (FormattableString)$"{message}; give the model that the run was made with ({Setting})");
}

/// <summary>Output-embedding rows and texts of the ids that a run uses, and what is known of its model.</summary>
internal sealed record RunOutput(
    int[] Ids,
    float[] Rows,
    IReadOnlyList<ReadOnlyMemory<byte>>? Texts,
    MarkerIds Markers,
    RunInfo Run
);
