using System.Text.Json;

namespace Tamx;

/// <content>Writing a trace to a file.</content>
public sealed partial class Trace
{
    /// <summary>Saves the trace with TAMX's tensor names. docs/trace-format.md describes the file.</summary>
    /// <param name="path">The .safetensors file; an existing one is replaced, once the new one is complete.</param>
    /// <exception cref="TraceFormatException">The trace's parts do not fit each other.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Save(string path)
    {
        Validate();
        var writer = new SafetensorsWriter();

        // With the batch axis that TAMX's scripts write and drop.
        writer.AddSingles(TraceFormat.HiddenState, HiddenStates, 1, HiddenRowCount, HiddenSize);
        writer.AddIntegers(TraceFormat.GeneratedIds, ToInt64(TokenIds), 1, TokenIds.Length);
        writer.AddIntegers(TraceFormat.OutputIds, ToInt64(OutputIds));
        writer.AddSingles(TraceFormat.OutputRows, OutputRows, OutputIds.Length, HiddenSize);
        AddGrids(writer, TraceFormat.ImageGrids, ImageGrids);
        AddGrids(writer, TraceFormat.VideoGrids, VideoGrids);
        if (CandidateIds is { Length: > 0 })
        {
            writer.AddIntegers(TraceFormat.CandidateIds, ToInt64([.. CandidateIds.SelectMany(row => row)]), CandidateIds.Length, CandidateIds[0].Length);
        }

        if (CandidateProbabilities is { Length: > 0 })
        {
            float[] values = [.. CandidateProbabilities.SelectMany(row => row)];
            writer.AddSingles(TraceFormat.CandidateProbabilities, values, CandidateProbabilities.Length, CandidateProbabilities[0].Length);
        }

        if (AnswerProbabilities is not null)
        {
            writer.AddSingles(TraceFormat.AnswerProbabilities, AnswerProbabilities);
        }

        if (OutputTexts is not null)
        {
            long end = 0;
            writer.AddBytes(TraceFormat.TextBytes, OutputTexts.SelectMany(text => text).ToArray());
            writer.AddIntegers(TraceFormat.TextEnds, OutputTexts.Select(text => end += text.Length).ToArray());
        }

        writer.Metadata[TraceFormat.FormatKey] = TraceFormat.FormatVersion;
        writer.Metadata[TraceFormat.MarkersKey] = JsonSerializer.Serialize(Markers, TraceFormat.Json);
        writer.Metadata[TraceFormat.RunKey] = JsonSerializer.Serialize(Run, TraceFormat.Json);
        AddPictures(writer);
        writer.Write(path);
    }

    private static void AddGrids(SafetensorsWriter writer, string name, IReadOnlyList<PatchGrid> grids)
    {
        if (grids.Count > 0)
        {
            writer.AddIntegers(name, grids.SelectMany(grid => new long[] { grid.Frames, grid.Rows, grid.Columns }).ToArray(), grids.Count, 3);
        }
    }

    private static long[] ToInt64(int[] values) => Array.ConvertAll(values, value => (long)value);

    private void AddPictures(SafetensorsWriter writer)
    {
        var entries = Pictures.Select(picture => new TracePictureEntry
        {
            Block = picture.BlockIndex,
            Frame = picture.FrameIndex,
            MediaType = picture.MediaType,
            Width = picture.Width,
            Height = picture.Height,
            Seconds = picture.Seconds,
            Name = picture.Name,
        }).ToList();
        for (int i = 0; i < Pictures.Count; i++)
        {
            writer.AddBytes(TraceFormat.Picture(i), Pictures[i].Bytes);
        }

        if (entries.Count > 0)
        {
            writer.Metadata[TraceFormat.PicturesKey] = JsonSerializer.Serialize(entries, TraceFormat.Json);
        }
    }
}
