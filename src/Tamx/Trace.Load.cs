using System.Text.Json;

namespace Tamx;

/// <content>Reading a trace from a file.</content>
public sealed partial class Trace
{
    private static readonly string[] PictureMediaTypes = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

    /// <summary>Reads a trace that Tamx saved, or a dump with TAMX's tensor names. docs/trace-format.md describes the file.</summary>
    /// <param name="path">The .safetensors file; untrusted.</param>
    /// <returns>The trace, validated.</returns>
    /// <exception cref="TraceFormatException">The file is missing or damaged, or its tensors do not fit each other; the message names the tensor or position.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Trace Load(string path)
    {
        using var file = SafetensorsFile.Open(path);
        long[] hiddenShape = MatrixShape(file, TraceFormat.HiddenState);
        int hiddenSize = AxisLength(file, TraceFormat.HiddenState, hiddenShape[1]);
        int[] outputIds = ReadIds(file, TraceFormat.OutputIds);
        long[] rowsShape = MatrixShape(file, TraceFormat.OutputRows);
        if (rowsShape[0] != outputIds.Length || rowsShape[1] != hiddenSize)
        {
            throw file.Fault(
                $"tensor {TraceFormat.OutputRows} is [{rowsShape[0]}, {rowsShape[1]}]; {outputIds.Length} ids and a hidden size of {hiddenSize} need [{outputIds.Length}, {hiddenSize}]");
        }

        var trace = new Trace
        {
            SourcePath = path,
            TokenIds = ReadIds(file, TraceFormat.GeneratedIds),
            HiddenSize = hiddenSize,
            HiddenStates = ReadStates(file, TraceFormat.HiddenState),
            OutputIds = outputIds,
            OutputRows = ReadStates(file, TraceFormat.OutputRows),
            ImageGrids = ReadGrids(file, TraceFormat.ImageGrids),
            VideoGrids = ReadGrids(file, TraceFormat.VideoGrids),
            CandidateIds = ReadCandidates(file),
            CandidateProbabilities = ReadCandidateProbabilities(file),
            AnswerProbabilities = Has(file, TraceFormat.AnswerProbabilities) ? file.ReadSingles(TraceFormat.AnswerProbabilities) : null,
            Markers = ReadJson<MarkerIds>(file, TraceFormat.MarkersKey) ?? MarkerIds.QwenPublished,
            OutputTexts = ReadTexts(file),
            Pictures = ReadPictures(file),
            Run = ReadJson<RunInfo>(file, TraceFormat.RunKey) ?? new RunInfo(),
        };
        trace.Validate();
        return trace;
    }

    /// <summary>Present and not the one-axis empty tensor that TAMX's scripts store for "none".</summary>
    private static bool Has(SafetensorsFile file, string name) =>
        file.Tensors.TryGetValue(name, out var tensor) && tensor is not { ElementCount: 0, Shape.Count: 1 };

    private static SafetensorsTensor Find(SafetensorsFile file, string name) =>
        file.Tensors.TryGetValue(name, out var tensor) ? tensor : throw file.Fault($"tensor {name} is missing; a trace needs it");

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
        return tensor.DType is SafetensorsDType.F32 or SafetensorsDType.BF16 or SafetensorsDType.F16
            ? file.ReadSingles(name)
            : throw file.Fault($"tensor {name} is {tensor.Describe()}; F32, BF16 or F16 is needed");
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
}
