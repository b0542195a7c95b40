using System.Collections.Immutable;
using System.Text.Json;

namespace Tamx;

/// <summary>Makes the content of a trace's file.</summary>
internal static class TraceWriter
{
    /// <summary>The content for a valid trace.</summary>
    public static SafetensorsWriter Of(Trace trace)
    {
        var writer = new SafetensorsWriter();

        // TAMX's scripts write this batch axis and drop it when they read.
        writer.AddSingles(TraceFormat.HiddenState, trace.HiddenStates, 1, trace.HiddenRowCount, trace.HiddenSize);
        writer.AddIntegers(TraceFormat.GeneratedIds, ToInt64(trace.TokenIds), 1, trace.TokenIds.Length);
        writer.AddIntegers(TraceFormat.OutputIds, ToInt64(trace.OutputIds));
        writer.AddSingles(TraceFormat.OutputRows, trace.OutputRows, trace.OutputIds.Length, trace.HiddenSize);
        AddGrids(writer, TraceFormat.ImageGrids, trace.ImageGrids);
        AddGrids(writer, TraceFormat.VideoGrids, trace.VideoGrids);
        if (trace.CandidateIds is { Count: > 0 } candidates)
        {
            writer.AddIntegers(
                TraceFormat.CandidateIds,
                ToInt64([.. candidates.SelectMany(row => row)]),
                candidates.Count,
                candidates[0].Length
            );
        }

        if (trace.CandidateProbabilities is { Count: > 0 } probabilities)
        {
            float[] values = [.. probabilities.SelectMany(row => row)];
            writer.AddSingles(TraceFormat.CandidateProbabilities, values, probabilities.Count, probabilities[0].Length);
        }

        if (trace.AnswerProbabilities is { } answer)
        {
            writer.AddSingles(TraceFormat.AnswerProbabilities, answer.AsMemory());
        }

        if (trace.RegionChanges is { } changes)
        {
            writer.AddSingles(TraceFormat.RegionChanges, changes.AsMemory());
        }

        if (trace.OutputTexts is { } texts)
        {
            long end = 0;
            writer.AddBytes(TraceFormat.TextBytes, texts.SelectMany(text => text.ToArray()).ToArray());
            writer.AddIntegers(TraceFormat.TextEnds, texts.Select(text => end += text.Length).ToArray());
        }

        AddLayers(writer, trace);
        AddEvidence(writer, trace.Evidence ?? []);
        writer.Metadata[TraceFormat.FormatKey] = TraceFormat.FormatVersion;
        writer.Metadata[TraceFormat.MarkersKey] = JsonSerializer.Serialize(trace.Markers, SavedJson.Options);
        writer.Metadata[TraceFormat.RunKey] = JsonSerializer.Serialize(trace.Run, SavedJson.Options);
        AddPictures(writer, trace.Pictures);
        return writer;
    }

    private static void AddLayers(SafetensorsWriter writer, Trace trace)
    {
        foreach (var layer in trace.Layers)
        {
            writer.AddSingles(
                TraceFormat.Layer(layer.Layer),
                layer.HiddenStates,
                trace.HiddenRowCount,
                trace.HiddenSize
            );
            if (layer.LogSums is { } logSums)
            {
                writer.AddSingles(TraceFormat.LayerLogSums(layer.Layer), logSums);
            }
        }
    }

    private static void AddEvidence(SafetensorsWriter writer, IReadOnlyList<EvidenceStep> steps)
    {
        foreach (var (index, step) in steps.Index())
        {
            var count = step.TokenIds.Length;
            writer.AddIntegers(TraceFormat.EvidenceIds(index), ToInt64(step.TokenIds));
            writer.AddSingles(TraceFormat.Evidence(index), step.Scores, count, step.Scores.Length / count);
            writer.AddSingles(
                TraceFormat.EvidenceLogits(index),
                step.Rest.Zip(step.Logits).SelectMany(pair => (float[])[pair.First, pair.Second]).ToArray(),
                count,
                2
            );
        }
    }

    private static void AddGrids(SafetensorsWriter writer, string name, IReadOnlyList<PatchGrid> grids)
    {
        if (grids.Count > 0)
        {
            writer.AddIntegers(
                name,
                grids.SelectMany(grid => new long[] { grid.Frames, grid.Rows, grid.Columns }).ToArray(),
                grids.Count,
                3
            );
        }
    }

    private static long[] ToInt64(ImmutableArray<int> values) => [.. values.Select(value => (long)value)];

    private static void AddPictures(SafetensorsWriter writer, IReadOnlyList<TracePicture> pictures)
    {
        var entries = pictures
            .Select(picture => new TracePictureEntry
            {
                Block = picture.BlockIndex,
                Frame = picture.FrameIndex,
                MediaType = picture.MediaType,
                Width = picture.Width,
                Height = picture.Height,
                Seconds = picture.Seconds,
                Name = picture.Name,
            })
            .ToList();
        for (var i = 0; i < pictures.Count; i++)
        {
            writer.AddBytes(TraceFormat.Picture(i), pictures[i].Bytes);
        }

        if (entries.Count > 0)
        {
            writer.Metadata[TraceFormat.PicturesKey] = JsonSerializer.Serialize(entries, SavedJson.Options);
        }
    }
}
