using System.Runtime.InteropServices;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx;

/// <summary>Makes a trace of what an inference server dumps: token ids and hidden states, and nothing else.</summary>
internal static class ServerDump
{
    /// <summary>Puts the parts together.</summary>
    /// <param name="path">The dump.</param>
    /// <param name="tokenIds">Prompt and answer; pictures may stand as one token each.</param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="rowCount">Rows of hidden states.</param>
    /// <param name="readStates">Reads the last hidden states, normed, and further layers, by the norm.</param>
    /// <param name="modelPath">The model's file or folder, for rows of the output embedding, norm, texts, markers.</param>
    /// <param name="options">What the dump does not say.</param>
    public static Trace ToTrace(
        string path,
        int[] tokenIds,
        int hiddenSize,
        int rowCount,
        Func<OutputNorm, (float[] Last, IReadOnlyList<LayerStates> Layers)> readStates,
        string? modelPath,
        DumpOptions options
    )
    {
        if (modelPath is null)
        {
            throw RunModel.Other(path, "a dump has no output-embedding rows");
        }

        int[] ids = [.. tokenIds.Distinct().Order()];
        var model = RunModel.Open(modelPath, hiddenSize, ids, path);
        var output = model.ReadOutput(ids);
        TracePicture[] pictures = [.. options.Pictures.Select(OpenPicture)];
        tokenIds = Expand(path, tokenIds, rowCount, output.Markers, options, model.Cells, pictures);
        var (last, layers) = readStates(model.OutputNorm);
        var grids = FindGrids(path, tokenIds, output.Markers, options, model.Cells, pictures);
        return new Trace
        {
            SourcePath = path,
            TokenIds = ImmutableCollectionsMarshal.AsImmutableArray(tokenIds),
            HiddenSize = hiddenSize,
            HiddenStates = last,
            Layers = layers,
            OutputIds = ImmutableCollectionsMarshal.AsImmutableArray(output.Ids),
            OutputRows = output.Rows,
            OutputTexts = output.Texts,
            ImageGrids = grids,
            Markers = output.Markers,
            Pictures = pictures,
            Run = output.Run,
        };
    }

    /// <summary>A server may tell one token for a picture. Each becomes as many as the picture has cells.</summary>
    private static int[] Expand(
        string path,
        int[] tokenIds,
        int rowCount,
        MarkerIds markers,
        DumpOptions options,
        PictureCells? rule,
        TracePicture[] shown
    )
    {
        // The last token's state may be missing: nothing is predicted from it.
        if (IsEnough(tokenIds.Length))
        {
            return tokenIds;
        }

        var pictures = tokenIds.Count(id => id == markers.ImagePad);
        var cells = new Queue<int>(
            options.Grids.Count == pictures ? options.Grids.Select(grid => grid.Rows * grid.Columns)
            : pictures == 1 && rowCount > tokenIds.Length ? [rowCount - tokenIds.Length + 1]
            : rule is not null && shown.Length == pictures
                ? shown
                    .Select(picture => rule.Of(picture.Width, picture.Height))
                    .Select(grid => grid.Rows * grid.Columns)
            : Enumerable.Repeat(1, pictures)
        );
        int[] expanded =
        [
            .. tokenIds.SelectMany(id => Enumerable.Repeat(id, id == markers.ImagePad ? cells.Dequeue() : 1)),
        ];
        return IsEnough(expanded.Length)
            ? expanded
            : throw new TraceFormatException(
                path,
                $"{rowCount} rows of hidden states for {tokenIds.Length} token ids, {pictures} of them of pictures; every token but the last needs a row"
            );

        bool IsEnough(int count) => rowCount == count || rowCount == count - 1;
    }

    private static PatchGrid[] FindGrids(
        string path,
        int[] tokenIds,
        MarkerIds markers,
        DumpOptions options,
        PictureCells? rule,
        TracePicture[] pictures
    )
    {
        List<int> cells = [];
        for (var i = 0; i < tokenIds.Length; i++)
        {
            if (tokenIds[i] == markers.ImagePad)
            {
                if (i == 0 || tokenIds[i - 1] != markers.ImagePad)
                {
                    cells.Add(0);
                }

                cells[^1]++;
            }
        }

        RequireAsMany(options.Grids.Count, new Setting(nameof(DumpOptions.Grids)));
        RequireAsMany(options.Pictures.Count, new Setting(nameof(DumpOptions.Pictures)));
        return [.. cells.Select(GridOf)];

        void RequireAsMany(int given, Setting setting)
        {
            if (given != 0 && given != cells.Count)
            {
                throw new TraceFormatException(
                    path,
                    (FormattableString)$"it has {cells.Count} pictures, but {setting} names {given}"
                );
            }
        }

        PatchGrid GridOf(int count, int index)
        {
            if (options.Grids.Count > 0)
            {
                var (rows, columns) = options.Grids[index];
                return rows * columns == count
                    ? Merged(rows, columns)
                    : throw new TraceFormatException(
                        path,
                        (FormattableString)
                            $"picture {index} has {count} tokens, but {new Setting(nameof(DumpOptions.Grids))} gives it {rows} x {columns} cells"
                    );
            }

            if (pictures.Length == 0)
            {
                throw new TraceFormatException(
                    path,
                    (FormattableString)
                        $"picture {index} has {count} tokens, and a dump does not say how they lie; give {new Setting(nameof(DumpOptions.Pictures))} or {new Setting(nameof(DumpOptions.Grids))}"
                );
            }

            // The server may have been told other limits than the model's files have.
            var (width, height) = (pictures[index].Width, pictures[index].Height);
            if (rule?.Of(width, height) is var (ruledRows, ruledColumns) && ruledRows * ruledColumns == count)
            {
                return Merged(ruledRows, ruledColumns);
            }

            var shape = Math.Log((double)height / width);
            var best = Enumerable
                .Range(1, count)
                .Where(rows => count % rows == 0)
                .MinBy(rows => Math.Abs(Math.Log((double)rows * rows / count) - shape));
            return Merged(best, count / best);
        }

        // A trace's grids are those before the vision tower merges patches, 2 x 2 if the model's file does not say.
        PatchGrid Merged(int rows, int columns) =>
            new(1, (rule?.MergeSize ?? 2) * rows, (rule?.MergeSize ?? 2) * columns);
    }

    private static TracePicture OpenPicture(string file, int index)
    {
        var encoded = ImagePart.FromFile(file);
        var image = RgbImage.Decode(encoded.Encoded, encoded.Name);
        return new TracePicture(
            index,
            0,
            image.MediaType,
            encoded.Encoded,
            image.Width,
            image.Height,
            null,
            encoded.Name
        );
    }
}
