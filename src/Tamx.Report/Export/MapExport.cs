namespace Tamx.Report;

/// <summary>
/// Writes maps into a folder as pictures, tables, arrays and JSON, for other programs and for papers. docs/export.md
/// describes the files.
/// </summary>
/// <remarks>
/// Each file appears whole or not at all. Existing files of the same names are replaced. Thread-safe.
/// </remarks>
public static class MapExport
{
    /// <summary>Name of the JSON document in the folder.</summary>
    public const string JsonName = "maps.json";

    /// <summary>Draws a word's map over its picture, or over the first frames of its video, as a PNG.</summary>
    /// <param name="trace">The run that the word was explained from, with its pictures.</param>
    /// <param name="word">The word.</param>
    /// <param name="block">Index of the vision block.</param>
    /// <param name="maxSide">Most pixels of a side of the picture; a larger one is scaled down.</param>
    /// <param name="options">How it is drawn, or null for the defaults.</param>
    /// <exception cref="InvalidInputException">
    /// The block has no picture, the word no map of it, or an option is out of range.
    /// </exception>
    public static byte[] DrawPng(
        Trace trace,
        ExplainedWord word,
        int block = 0,
        int maxSide = int.MaxValue,
        MapExportOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(word);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSide);
        options ??= new MapExportOptions();
        options.Validate();
        if (
            word.VisionMaps.ElementAtOrDefault(block) is null
            || !trace.Pictures.Any(one => one.BlockIndex == block && one.FrameIndex == 0)
        )
        {
            throw new InvalidInputException(
                $"vision block {block}: the trace has no picture of it, or the word no map; there is nothing to draw"
            );
        }

        return PngExport.Draw(trace, word, block, maxSide, options).EncodePng();
    }

    /// <summary>Writes the files.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from.</param>
    /// <param name="maps">The maps.</param>
    /// <param name="folder">The folder for the files. It is created if it does not exist.</param>
    /// <param name="formats">The formats to write.</param>
    /// <param name="options">How pictures are drawn, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing between files. Complete files stay.</param>
    /// <exception cref="InvalidInputException">
    /// Trace and maps do not belong together, the folder is a file, a picture cannot be read, or there are no words.
    /// </exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteAsync(
        Trace trace,
        ActivationMaps maps,
        string folder,
        ExportFormats formats,
        MapExportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new MapExportOptions();
        options.Validate();
        ReportInput.Check(trace, maps);
        if (File.Exists(folder))
        {
            throw new InvalidInputException($"{folder} is a file; name a folder for the export");
        }

        if (options.Words && maps.Words.Count == 0 && maps.Answer.Count > 0)
        {
            throw new InvalidInputException("export: the trace holds no token texts, and so no words; export tokens");
        }

        Directory.CreateDirectory(folder);
        if (formats.HasFlag(ExportFormats.Json))
        {
            WholeFile.Write(Path.Combine(folder, JsonName), stream => MapsJson.Write(trace, maps, stream));
        }

        if (formats.HasFlag(ExportFormats.Csv))
        {
            await CsvExport.WriteAsync(trace, maps, folder, cancellationToken).ConfigureAwait(false);
        }

        if (formats.HasFlag(ExportFormats.Npy))
        {
            await NpyExport.WriteAsync(maps, folder, cancellationToken).ConfigureAwait(false);
        }

        if (formats.HasFlag(ExportFormats.Png))
        {
            PngExport.Write(trace, maps, folder, options, cancellationToken);
        }
    }
}
