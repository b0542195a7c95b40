using System.Text.Json;
using Tamx.Llama;

namespace Tamx;

/// <content>Reading a trace from a file.</content>
public sealed partial class Trace
{
    private static readonly string[] PictureMediaTypes = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

    /// <summary>Reads a trace that Tamx saved, or a dump with TAMX's tensor names. docs/trace-format.md describes the file.</summary>
    /// <param name="path">The .safetensors file; untrusted.</param>
    /// <param name="modelPath">
    /// The GGUF of the model that the run was made with, or null. A file without output-embedding rows, as TAMX's scripts write it, takes them from there,
    /// and token texts and marker ids where it has none; a file with rows needs no model.
    /// </param>
    /// <returns>The trace, validated.</returns>
    /// <exception cref="TraceFormatException">The file is missing or damaged, or its tensors do not fit each other or the model; the message names the tensor or position.</exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    /// <exception cref="NativeLibraryException">The native part, which reads the model's rows, is missing.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Trace Load(string path, string? modelPath = null)
    {
        using var file = SafetensorsFile.Open(path);
        long[] hiddenShape = MatrixShape(file, TraceFormat.HiddenState);
        int hiddenSize = AxisLength(file, TraceFormat.HiddenState, hiddenShape[1]);
        int[] tokenIds = ReadIds(file, TraceFormat.GeneratedIds);
        var candidateIds = ReadCandidates(file);
        var output = modelPath is null || (file.Tensors.ContainsKey(TraceFormat.OutputIds) && file.Tensors.ContainsKey(TraceFormat.OutputRows))
            ? ReadOutput(file, hiddenSize)
            : ReadOutput(file, hiddenSize, modelPath, tokenIds.Concat((candidateIds ?? []).SelectMany(step => step)));
        var trace = new Trace
        {
            SourcePath = path,
            TokenIds = tokenIds,
            HiddenSize = hiddenSize,
            HiddenStates = ReadStates(file, TraceFormat.HiddenState),
            OutputIds = output.Ids,
            OutputRows = output.Rows,
            ImageGrids = ReadGrids(file, TraceFormat.ImageGrids),
            VideoGrids = ReadGrids(file, TraceFormat.VideoGrids),
            CandidateIds = candidateIds,
            CandidateProbabilities = ReadCandidateProbabilities(file),
            AnswerProbabilities = Has(file, TraceFormat.AnswerProbabilities) ? file.ReadSingles(TraceFormat.AnswerProbabilities) : null,
            Markers = ReadJson<MarkerIds>(file, TraceFormat.MarkersKey) ?? output.Markers,
            OutputTexts = output.Texts,
            Pictures = ReadPictures(file),
            Run = ReadJson<RunInfo>(file, TraceFormat.RunKey) ?? output.Run,
        };
        trace.Validate();
        return trace;
    }

    /// <summary>Output-embedding rows and texts that the file itself holds.</summary>
    private static OutputPart ReadOutput(SafetensorsFile file, int hiddenSize)
    {
        int[] ids = ReadIds(file, TraceFormat.OutputIds);
        long[] shape = MatrixShape(file, TraceFormat.OutputRows);
        return shape[0] == ids.Length && shape[1] == hiddenSize
            ? new OutputPart(ids, ReadStates(file, TraceFormat.OutputRows), ReadTexts(file), MarkerIds.QwenPublished, new RunInfo())
            : throw file.Fault(
                $"tensor {TraceFormat.OutputRows} is [{shape[0]}, {shape[1]}]; {ids.Length} ids and a hidden size of {hiddenSize} need [{ids.Length}, {hiddenSize}]");
    }

    /// <summary>Rows and texts of the ids in use, from the model's file.</summary>
    private static OutputPart ReadOutput(SafetensorsFile file, int hiddenSize, string modelPath, IEnumerable<int> idsInUse)
    {
        int[] ids = [.. idsInUse.Distinct().Order()];
        var model = OpenModel(modelPath, hiddenSize, ids, message => file.Fault(message));
        return new OutputPart(
            ids,
            model.OutputEmbedding.ReadRows(ids),
            [.. ids.Select(model.GetBytes)],
            MarkerIds.Find(model),
            new RunInfo
            {
                Model = model.Facts.Name,
                ModelFile = System.IO.Path.GetFileName(modelPath),
                Architecture = model.Facts.Architecture,
                Quantization = model.Facts.Quantization,
            });
    }

    /// <summary>Present and not the one-axis empty tensor that TAMX's scripts store for "none".</summary>
    private static bool Has(SafetensorsFile file, string name) =>
        file.Tensors.TryGetValue(name, out var tensor) && tensor is not { ElementCount: 0, Shape.Count: 1 };

    private static SafetensorsTensor Find(SafetensorsFile file, string name) =>
        file.Tensors.TryGetValue(name, out var tensor)
            ? tensor
            : throw file.Fault(
                $"tensor {name} is missing; a trace needs it"
                    + (name is TraceFormat.OutputIds or TraceFormat.OutputRows ? ", or the model that the run was made with (-m MODEL.gguf), which has these rows" : ""));

    /// <summary>The shape [rows, columns] of a matrix, less a batch axis of one.</summary>
    private static long[] MatrixShape(SafetensorsFile file, string name)
    {
        var tensor = Find(file, name);
        return tensor.Shape switch
        {
            [long rows, long columns] => [rows, columns],
            [1, long rows, long columns] => [rows, columns],
            _ => throw file.Fault($"tensor {name} is {tensor.Describe()}; two axes are needed, or three with a first of length 1"),
        };
    }

    private static int AxisLength(SafetensorsFile file, string name, long length) => length is >= 1 and <= int.MaxValue
        ? (int)length
        : throw file.Fault($"tensor {name} has an axis of length {length}; it must be from 1 to {int.MaxValue}");

    private static float[] ReadStates(SafetensorsFile file, string name)
    {
        var tensor = Find(file, name);
        return tensor.DType is SafetensorsDType.F32 or SafetensorsDType.BF16 or SafetensorsDType.F16 or SafetensorsDType.F64
            ? file.ReadSingles(name)
            : throw file.Fault($"tensor {name} is {tensor.Describe()}; F32, BF16, F16 or F64 is needed");
    }

    private static int[] ReadIds(SafetensorsFile file, string name)
    {
        var tensor = Find(file, name);
        return tensor.Shape is [_] or [1, _]
            ? ToIds(file, name, file.ReadIntegers(name))
            : throw file.Fault($"tensor {name} is {tensor.Describe()}; one axis is needed, or two with a first of length 1");
    }

    private static int[] ToIds(SafetensorsFile file, string name, long[] values)
    {
        var ids = new int[values.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = values[i] is >= 0 and <= int.MaxValue
                ? (int)values[i]
                : throw file.Fault($"tensor {name} holds {values[i]} at index {i}; values from 0 to {int.MaxValue} are needed");
        }

        return ids;
    }

    private static IReadOnlyList<PatchGrid> ReadGrids(SafetensorsFile file, string name)
    {
        if (!Has(file, name))
        {
            return [];
        }

        long[] shape = MatrixShape(file, name);
        if (shape[1] != 3)
        {
            throw file.Fault($"tensor {name} is [{shape[0]}, {shape[1]}]; rows of 3 (frames, rows, columns) are needed");
        }

        return [.. ToIds(file, name, file.ReadIntegers(name)).Chunk(3).Select(row => new PatchGrid(row[0], row[1], row[2]))];
    }

    private static int[][]? ReadCandidates(SafetensorsFile file)
    {
        if (!Has(file, TraceFormat.CandidateIds))
        {
            return null;
        }

        long[] shape = MatrixShape(file, TraceFormat.CandidateIds);
        return Rows(file, TraceFormat.CandidateIds, shape, ToIds(file, TraceFormat.CandidateIds, file.ReadIntegers(TraceFormat.CandidateIds)));
    }

    private static float[][]? ReadCandidateProbabilities(SafetensorsFile file) => Has(file, TraceFormat.CandidateProbabilities)
        ? Rows(file, TraceFormat.CandidateProbabilities, MatrixShape(file, TraceFormat.CandidateProbabilities), file.ReadSingles(TraceFormat.CandidateProbabilities))
        : null;

    private static T[][] Rows<T>(SafetensorsFile file, string name, long[] shape, T[] values)
    {
        // An axis of length 0 makes the other axis free, and with it the number of rows.
        if (shape[0] > file.Tensors[TraceFormat.GeneratedIds].ElementCount)
        {
            throw file.Fault($"tensor {name} is [{shape[0]}, {shape[1]}]: more steps than {TraceFormat.GeneratedIds} has tokens");
        }

        int width = shape[0] == 0 ? 0 : values.Length / (int)shape[0];
        return [.. Enumerable.Range(0, (int)shape[0]).Select(row => values[(row * width)..((row + 1) * width)])];
    }

    private static byte[][]? ReadTexts(SafetensorsFile file)
    {
        if (!file.Tensors.ContainsKey(TraceFormat.TextEnds))
        {
            return null;
        }

        byte[] bytes = file.ReadBytes(TraceFormat.TextBytes);
        int[] ends = ReadIds(file, TraceFormat.TextEnds);
        var texts = new byte[ends.Length][];
        int start = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            if (ends[i] < start || ends[i] > bytes.Length)
            {
                throw file.Fault($"tensor {TraceFormat.TextEnds} holds {ends[i]} at index {i}; it must ascend and stay within the {bytes.Length} bytes of {TraceFormat.TextBytes}");
            }

            texts[i] = bytes[start..ends[i]];
            start = ends[i];
        }

        return texts;
    }

    private static List<TracePicture> ReadPictures(SafetensorsFile file)
    {
        var entries = ReadJson<TracePictureEntry[]>(file, TraceFormat.PicturesKey) ?? [];
        var pictures = new List<TracePicture>(entries.Length);
        foreach (var entry in entries)
        {
            if (entry is null
                || entry.Block < 0
                || entry.Frame < 0
                || entry.Width < 1
                || entry.Height < 1
                || !PictureMediaTypes.Contains(entry.MediaType)
                || entry.Name?.Any(char.IsControl) == true)
            {
                throw file.Fault(
                    $"metadata {TraceFormat.PicturesKey}: entry {pictures.Count} needs block and frame from 0, width and height from 1, a mediaType of {string.Join(", ", PictureMediaTypes)}, and no control characters in its name");
            }

            byte[] bytes = file.ReadBytes(TraceFormat.Picture(pictures.Count));
            pictures.Add(new TracePicture(entry.Block, entry.Frame, entry.MediaType, bytes, entry.Width, entry.Height, entry.Seconds, entry.Name));
        }

        return pictures;
    }

    private static T? ReadJson<T>(SafetensorsFile file, string key)
        where T : class
    {
        if (!file.Metadata.TryGetValue(key, out string? text))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(text, TraceFormat.Json);
        }
        catch (JsonException e)
        {
            throw file.Fault($"metadata {key} is not the JSON that docs/trace-format.md describes (at {e.Path ?? "its beginning"})", e);
        }
    }

    private sealed record OutputPart(int[] Ids, float[] Rows, byte[][]? Texts, MarkerIds Markers, RunInfo Run);
}
