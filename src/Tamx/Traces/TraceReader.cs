using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Tamx;

/// <summary>Reads a trace from an open file.</summary>
/// <param name="file">The file; untrusted.</param>
internal sealed class TraceReader(SafetensorsFile file)
{
    private static readonly string[] PictureMediaTypes =
    [
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/bmp",
    ];

    /// <summary>What the parts of a file take that are read.</summary>
    public static TraceSize Measure(SafetensorsFile file)
    {
        var costs = file
            .Tensors.Values.Where(tensor =>
                tensor.Name is TraceFormat.HiddenState or TraceFormat.OutputRows
                || tensor.Name.StartsWith(TraceFormat.Prefix, StringComparison.Ordinal)
            )
            .Select(file.CostOf)
            .ToList();
        return new TraceSize(costs.Sum(cost => cost.Held), costs.Sum(cost => cost.Mapped));
    }

    /// <summary>Reads all parts. <see cref="Trace.Validate"/> checks that they fit each other.</summary>
    /// <param name="modelPath">The model that gives rows, texts and markers if the file has no rows; or null.</param>
    public Trace Read(string? modelPath)
    {
        var hiddenShape = MatrixShape(TraceFormat.HiddenState);
        var hiddenSize = AxisLength(TraceFormat.HiddenState, hiddenShape[1]);
        var tokenIds = ReadIds(TraceFormat.GeneratedIds);
        var candidateIds = ReadCandidates();
        var hasRows =
            file.Tensors.ContainsKey(TraceFormat.OutputIds) && file.Tensors.ContainsKey(TraceFormat.OutputRows);
        var output =
            modelPath is null || hasRows
                ? ReadOutput(hiddenSize)
                : ReadOutput(hiddenSize, modelPath, tokenIds.Concat((candidateIds ?? []).SelectMany(step => step)));
        return new Trace
        {
            SourcePath = file.Path,
            TokenIds = ImmutableCollectionsMarshal.AsImmutableArray(tokenIds),
            HiddenSize = hiddenSize,
            HiddenStates = MapStates(TraceFormat.HiddenState),
            Layers = ReadLayers(hiddenShape[0], hiddenSize),
            Evidence = ReadEvidence(tokenIds.Length),
            OutputIds = ImmutableCollectionsMarshal.AsImmutableArray(output.Ids),
            OutputRows = output.Rows,
            ImageGrids = ReadGrids(TraceFormat.ImageGrids),
            VideoGrids = ReadGrids(TraceFormat.VideoGrids),
            CandidateIds = candidateIds,
            CandidateProbabilities = ReadCandidateProbabilities(),
            AnswerProbabilities = ReadOfAnswer(TraceFormat.AnswerProbabilities),
            RegionChanges = ReadOfAnswer(TraceFormat.RegionChanges),
            Markers = ReadJson<MarkerIds>(TraceFormat.MarkersKey) ?? output.Markers,
            OutputTexts = output.Texts,
            Pictures = ReadPictures(),
            Run = ReadJson<RunInfo>(TraceFormat.RunKey) ?? output.Run,
        };
    }

    /// <summary>The output-embedding rows and texts in the file itself.</summary>
    private RunOutput ReadOutput(int hiddenSize)
    {
        var ids = ReadIds(TraceFormat.OutputIds);
        var shape = MatrixShape(TraceFormat.OutputRows);
        return shape[0] == ids.Length && shape[1] == hiddenSize
            ? new RunOutput(
                ids,
                ReadStates(TraceFormat.OutputRows),
                ReadTexts(),
                MarkerIds.QwenPublished,
                new RunInfo()
            )
            : throw file.Fault(
                $"tensor {TraceFormat.OutputRows} is [{shape[0]}, {shape[1]}]; {ids.Length} ids and a hidden size of {hiddenSize} need [{ids.Length}, {hiddenSize}]"
            );
    }

    /// <summary>Rows and texts of the ids in use, from the model's file.</summary>
    private RunOutput ReadOutput(int hiddenSize, string modelPath, IEnumerable<int> idsInUse)
    {
        int[] ids = [.. idsInUse.Distinct().Order()];
        return RunModel.Open(modelPath, hiddenSize, ids, file.Path).ReadOutput(ids);
    }

    /// <summary>Whether it is present. TAMX's scripts store an empty tensor of one axis for "none".</summary>
    private bool Has(string name) =>
        file.Tensors.TryGetValue(name, out var tensor) && tensor is not { ElementCount: 0, Shape.Count: 1 };

    private SafetensorsTensor Find(string name)
    {
        if (file.Tensors.TryGetValue(name, out var tensor))
        {
            return tensor;
        }

        throw name is TraceFormat.OutputIds or TraceFormat.OutputRows
            ? new TraceFormatException(
                file.Path,
                (FormattableString)
                    $"tensor {name} is missing; a trace needs it, or the model that the run was made with ({RunModel.Setting}), which has these rows"
            )
            : file.Fault($"tensor {name} is missing; a trace needs it");
    }

    /// <summary>The shape [rows, columns] of a matrix, without a batch axis of one.</summary>
    private long[] MatrixShape(string name)
    {
        var tensor = Find(name);
        return tensor.Shape switch
        {
            [long rows, long columns] => [rows, columns],
            [1, long rows, long columns] => [rows, columns],
            _ => throw file.Fault(
                $"tensor {name} is {tensor.Describe()}; two axes are needed, or three with a first of length 1"
            ),
        };
    }

    private int AxisLength(string name, long length) =>
        length is >= 1 and <= int.MaxValue
            ? (int)length
            : throw file.Fault($"tensor {name} has an axis of length {length}; it must be from 1 to {int.MaxValue}");

    private float[] ReadStates(string name)
    {
        RequireFloats(name);
        return file.ReadSingles(name);
    }

    /// <summary>States of all positions, which stay in the file where they are large.</summary>
    private ReadOnlyMemory<float> MapStates(string name)
    {
        RequireFloats(name);
        return file.MapSingles(name);
    }

    private void RequireFloats(string name)
    {
        var tensor = Find(name);
        if (
            tensor.DType
            is not (SafetensorsDType.F32 or SafetensorsDType.BF16 or SafetensorsDType.F16 or SafetensorsDType.F64)
        )
        {
            throw file.Fault($"tensor {name} is {tensor.Describe()}; F32, BF16, F16 or F64 is needed");
        }
    }

    private int[] ReadIds(string name)
    {
        var tensor = Find(name);
        return tensor.Shape is [_] or [1, _]
            ? file.ReadIds(name)
            : throw file.Fault(
                $"tensor {name} is {tensor.Describe()}; one axis is needed, or two with a first of length 1"
            );
    }

    private LayerStates[] ReadLayers(long rows, int hiddenSize)
    {
        var layers = new List<LayerStates>();
        foreach (
            var name in file.Tensors.Keys.Where(name =>
                name.StartsWith(TraceFormat.LayerPrefix, StringComparison.Ordinal)
            )
        )
        {
            var digits = name.AsSpan(TraceFormat.LayerPrefix.Length);
            if (
                !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
                || TraceFormat.Layer(layer) != name
            )
            {
                throw file.Fault($"tensor {name}: a layer's number must follow {TraceFormat.LayerPrefix}");
            }

            var shape = MatrixShape(name);
            if (shape[0] != rows || shape[1] != hiddenSize)
            {
                throw file.Fault(
                    $"tensor {name} is [{shape[0]}, {shape[1]}]; it must have the shape of {TraceFormat.HiddenState}, [{rows}, {hiddenSize}]"
                );
            }

            var sums = TraceFormat.LayerLogSums(layer);
            layers.Add(
                new LayerStates(
                    layer,
                    MapStates(name),
                    file.Tensors.ContainsKey(sums) ? ReadVector(sums, rows) : default(ReadOnlyMemory<float>?)
                )
            );
        }

        return [.. layers.OrderBy(layer => layer.Layer)];
    }

    private EvidenceStep[]? ReadEvidence(int tokenCount)
    {
        var steps = new List<EvidenceStep>();
        while (steps.Count < tokenCount && file.Tensors.ContainsKey(TraceFormat.Evidence(steps.Count)))
        {
            var name = TraceFormat.Evidence(steps.Count);
            var ids = ReadIds(TraceFormat.EvidenceIds(steps.Count));
            var shape = MatrixShape(name);
            if (ids.Length == 0 || shape[0] != ids.Length || shape[1] > tokenCount)
            {
                throw file.Fault(
                    $"tensor {name} is [{shape[0]}, {shape[1]}]; it must have a row for each of the {ids.Length} ids of {TraceFormat.EvidenceIds(steps.Count)}, at least one, and no more columns than there are tokens"
                );
            }

            var logits = ReadVector(TraceFormat.EvidenceLogits(steps.Count), 2 * ids.Length);
            steps.Add(
                new EvidenceStep
                {
                    TokenIds = ImmutableCollectionsMarshal.AsImmutableArray(ids),
                    Scores = ReadStates(name),
                    Rest = [.. logits.Where((_, index) => index % 2 == 0)],
                    Logits = [.. logits.Where((_, index) => index % 2 == 1)],
                }
            );
        }

        return steps.Count == 0 ? null : [.. steps];
    }

    private float[] ReadVector(string name, long count)
    {
        var values = Find(name).ElementCount == count ? ReadStates(name) : [];
        return values.Length == count
            ? values
            : throw file.Fault($"tensor {name} is {file.Tensors[name].Describe()}; it must have {count} values");
    }

    private IReadOnlyList<PatchGrid> ReadGrids(string name)
    {
        if (!Has(name))
        {
            return [];
        }

        var shape = MatrixShape(name);
        if (shape[1] != 3)
        {
            throw file.Fault(
                $"tensor {name} is [{shape[0]}, {shape[1]}]; rows of 3 (frames, rows, columns) are needed"
            );
        }

        return [.. file.ReadIds(name).Chunk(3).Select(row => new PatchGrid(row[0], row[1], row[2]))];
    }

    private ImmutableArray<int>[]? ReadCandidates()
    {
        if (!Has(TraceFormat.CandidateIds))
        {
            return null;
        }

        var shape = MatrixShape(TraceFormat.CandidateIds);
        return Rows(TraceFormat.CandidateIds, shape, file.ReadIds(TraceFormat.CandidateIds));
    }

    private ImmutableArray<float>[]? ReadCandidateProbabilities() =>
        Has(TraceFormat.CandidateProbabilities)
            ? Rows(
                TraceFormat.CandidateProbabilities,
                MatrixShape(TraceFormat.CandidateProbabilities),
                file.ReadSingles(TraceFormat.CandidateProbabilities)
            )
            : null;

    private ImmutableArray<T>[] Rows<T>(string name, long[] shape, T[] values)
    {
        // If one axis has length 0, the file's size does not bound the other, so the number of rows needs a check.
        if (shape[0] > file.Tensors[TraceFormat.GeneratedIds].ElementCount)
        {
            throw file.Fault(
                $"tensor {name} is [{shape[0]}, {shape[1]}]: more steps than {TraceFormat.GeneratedIds} has tokens"
            );
        }

        var width = shape[0] == 0 ? 0 : values.Length / (int)shape[0];
        return [.. Enumerable.Range(0, (int)shape[0]).Select(row => ImmutableArray.Create(values, row * width, width))];
    }

    private ImmutableArray<float>? ReadOfAnswer(string name) => Has(name) ? [.. file.ReadSingles(name)] : null;

    private ReadOnlyMemory<byte>[]? ReadTexts()
    {
        if (!file.Tensors.ContainsKey(TraceFormat.TextEnds))
        {
            return null;
        }

        var bytes = file.ReadBytes(TraceFormat.TextBytes);
        var ends = ReadIds(TraceFormat.TextEnds);
        var texts = new ReadOnlyMemory<byte>[ends.Length];
        var start = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            if (ends[i] < start || ends[i] > bytes.Length)
            {
                throw file.Fault(
                    $"tensor {TraceFormat.TextEnds} holds {ends[i]} at index {i}; it must ascend and stay within the {bytes.Length} bytes of {TraceFormat.TextBytes}"
                );
            }

            texts[i] = bytes.AsMemory(start..ends[i]);
            start = ends[i];
        }

        return texts;
    }

    private List<TracePicture> ReadPictures()
    {
        var entries = ReadJson<TracePictureEntry[]>(TraceFormat.PicturesKey) ?? [];
        var pictures = new List<TracePicture>(entries.Length);
        foreach (var entry in entries)
        {
            if (
                entry is null
                || entry.Block < 0
                || entry.Frame < 0
                || entry.Width < 1
                || entry.Height < 1
                || !PictureMediaTypes.Contains(entry.MediaType)
                || entry.Name?.Any(char.IsControl) == true
            )
            {
                throw file.Fault(
                    $"metadata {TraceFormat.PicturesKey}: entry {pictures.Count} needs block and frame from 0, width and height from 1, a mediaType of {string.Join(", ", PictureMediaTypes)}, and no control characters in its name"
                );
            }

            var bytes = file.ReadBytes(TraceFormat.Picture(pictures.Count));
            pictures.Add(
                new TracePicture(
                    entry.Block,
                    entry.Frame,
                    entry.MediaType,
                    bytes,
                    entry.Width,
                    entry.Height,
                    entry.Seconds,
                    entry.Name
                )
            );
        }

        return pictures;
    }

    private T? ReadJson<T>(string key)
        where T : class
    {
        if (!file.Metadata.TryGetValue(key, out var text))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(text, SavedJson.Options);
        }
        catch (JsonException e)
        {
            throw file.Fault(
                $"metadata {key} is not the JSON that docs/trace-format.md describes (at {e.Path ?? "its beginning"})",
                e
            );
        }
    }
}
