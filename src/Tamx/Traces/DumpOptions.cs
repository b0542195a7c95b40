namespace Tamx;

/// <summary>
/// What dumps of inference servers do not say of themselves: how a picture was cut into cells, and which layers they
/// hold. <see cref="TraceFile.Load(string, string, DumpOptions)"/> takes it.
/// </summary>
public sealed record DumpOptions
{
    /// <summary>Who wrote the dump; null (the default) to tell by what it holds.</summary>
    public DumpFormat? Format { get; init; }

    /// <summary>
    /// Rows and columns of cells of each picture, in order. None (the default): as <see cref="Pictures"/> have it.
    /// </summary>
    public IReadOnlyList<(int Rows, int Columns)> Grids { get; init; } = [];

    /// <summary>
    /// The run's pictures, in order, as files. Reports show them. A picture without a grid gets the one with as many
    /// cells as it has tokens whose shape is nearest to the picture's.
    /// </summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>
    /// The layers on the dump's axis of layers, from 0 as everywhere; the last must be the model's last. None (the
    /// default): only the last on the axis is read, and taken for that.
    /// </summary>
    public IReadOnlyList<int> DumpLayers { get; init; } = [];

    /// <summary>Checks what can be checked without the dump.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public void Validate()
    {
        if (Grids.Any(grid => grid.Rows < 1 || grid.Columns < 1 || (long)grid.Rows * grid.Columns > 1 << 24))
        {
            throw InvalidInputException.Naming(
                $"{new Setting(nameof(Grids))}: rows and columns are from 1, and at most {1 << 24} cells"
            );
        }

        if (DumpLayers.Any(layer => layer < 0) || DumpLayers.Distinct().Count() != DumpLayers.Count)
        {
            throw InvalidInputException.Naming(
                $"{new Setting(nameof(DumpLayers))}: layers are numbers from 0, each given once"
            );
        }
    }
}

/// <summary>Who wrote a dump of hidden states.</summary>
public enum DumpFormat
{
    /// <summary>Tamx itself, or TAMX's scripts on Transformers.</summary>
    Transformers,

    /// <summary>vLLM's <c>extract_hidden_states</c>: a .safetensors file for each request.</summary>
    Vllm,

    /// <summary>SGLang with <c>return_hidden_states</c>: JSON, with the prompt's <c>input_ids</c> put beside.</summary>
    Sglang,
}
