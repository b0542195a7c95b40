using Tamx.Llama;

namespace Tamx;

/// <summary>Traces as .safetensors files with TAMX's tensor names, so that dumps can be exchanged both ways.</summary>
/// <remarks>docs/trace-format.md describes the file.</remarks>
public static class TraceFile
{
    /// <summary>Reads a trace that Tamx saved, or a dump with TAMX's tensor names.</summary>
    /// <param name="path">The .safetensors file; untrusted.</param>
    /// <param name="modelPath">
    /// The model that made the run, or null: a GGUF, or the folder with its makers' own files (<c>config.json</c>,
    /// <c>tokenizer.json</c> and safetensors). A file without output-embedding rows (from TAMX's scripts) takes them
    /// from there, and also the token texts and marker ids that it lacks. A file with rows needs no model.
    /// </param>
    /// <param name="dump">
    /// For a dump of vLLM (.safetensors) or SGLang (JSON), which is known by what it holds: what it does not say. Null
    /// for nothing. Such a dump needs <paramref name="modelPath"/>.
    /// </param>
    /// <returns>
    /// The trace, validated. Large hidden states of F32 stay in the file (<see cref="TraceSize.MappedBytes"/>).
    /// </returns>
    /// <exception cref="TraceFormatException">
    /// The file is missing or damaged, or its tensors do not fit each other or the model. The message names the tensor
    /// or position.
    /// </exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    /// <exception cref="NativeLibraryException">
    /// The native part is missing. It reads the model's rows.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Trace Load(string path, string? modelPath = null, DumpOptions? dump = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        dump?.Validate();
        var trace = Read(path, modelPath, dump ?? new DumpOptions());
        trace.Validate();
        return trace;
    }

    /// <summary>Saves a trace.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="path">The .safetensors file. An existing one is replaced once the new one is complete.</param>
    /// <exception cref="TraceFormatException">The trace's parts do not fit each other.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save(Trace trace, string path)
    {
        ArgumentNullException.ThrowIfNull(trace);
        trace.Validate();
        TraceWriter.Of(trace).Write(path);
    }

    /// <summary>Writes a trace, as it would be saved, to a stream.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="destination">Receives the content of the .safetensors file, and stays open.</param>
    /// <exception cref="TraceFormatException">The trace's parts do not fit each other.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(Trace trace, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(trace);
        trace.Validate();
        TraceWriter.Of(trace).Write(destination);
    }

    /// <summary>What a file takes when it is loaded. Only its header is read.</summary>
    /// <param name="path">The file, as <see cref="Load"/> takes it.</param>
    /// <param name="dump">As <see cref="Load"/> takes it.</param>
    /// <exception cref="TraceFormatException">There is no such file, or its header is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TraceSize Measure(string path, DumpOptions? dump = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        dump ??= new DumpOptions();
        if (IsSglang(path, dump))
        {
            return SglangDump.Measure(path);
        }

        using var file = SafetensorsFile.Open(path);
        return IsVllm(file, dump) ? VllmDump.Measure(file, dump) : TraceReader.Measure(file);
    }

    private static Trace Read(string path, string? modelPath, DumpOptions dump)
    {
        if (IsSglang(path, dump))
        {
            RequireRoom(path, SglangDump.Measure(path));
            return SglangDump.Read(path, modelPath, dump);
        }

        using var file = SafetensorsFile.Open(path);
        if (IsVllm(file, dump))
        {
            RequireRoom(path, VllmDump.Measure(file, dump));
            return VllmDump.Read(file, modelPath, dump);
        }

        RequireRoom(path, TraceReader.Measure(file));
        return new TraceReader(file).Read(modelPath);
    }

    private static bool IsSglang(string path, DumpOptions dump) =>
        dump.Format is DumpFormat.Sglang || (dump.Format is null && SglangDump.IsOne(path));

    private static bool IsVllm(SafetensorsFile file, DumpOptions dump) =>
        dump.Format is DumpFormat.Vllm || (dump.Format is null && VllmDump.IsOne(file));

    private static void RequireRoom(string path, TraceSize size)
    {
        var machine = MemoryEstimate.MachineBytes;
        if (size.HeldBytes > machine)
        {
            throw new TraceFormatException(
                path,
                (FormattableString)
                    $"takes {size.HeldBytes / 1e9:F1} GB of memory, and there are {machine / 1e9:F1} here; states of F32 stay in a trace's file and take none; of a dump of vLLM only the last layer is read without {new Setting(nameof(DumpOptions.DumpLayers))}"
            );
        }
    }
}
