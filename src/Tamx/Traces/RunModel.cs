using Tamx.Llama;

namespace Tamx;

/// <summary>The file of the model that a run was made with.</summary>
internal static class RunModel
{
    /// <summary>What messages call it: the parameter by which a caller gives it.</summary>
    public static Setting Setting { get; } = new("modelPath");

    /// <summary>Opens a model's file and refuses it where it cannot be the one that a run was made with.</summary>
    /// <param name="path">The GGUF.</param>
    /// <param name="hiddenSize">Hidden size of the run.</param>
    /// <param name="idsInUse">Token ids of the run.</param>
    /// <param name="tracePath">The run's file, for messages; null for one that was built in code.</param>
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

    /// <summary>The fault of a run and a model that do not belong together.</summary>
    public static TraceFormatException Other(string? tracePath, string message) =>
        new(tracePath, (FormattableString)$"{message}; give the model that the run was made with ({Setting})");
}
