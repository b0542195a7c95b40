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
    /// <param name="modelPath">The GGUF of the model, for rows of the output embedding, norm, texts and markers.</param>
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
        var output = RunModel.ReadOutput(model, modelPath, ids);
        tokenIds = Expand(path, tokenIds, rowCount, output.Markers, options);
        var (last, layers) = readStates(new OutputNorm(model.Facts));
        var (grids, pictures) = FindGrids(path, tokenIds, output.Markers, options);
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
    private static int[] Expand(string path, int[] tokenIds, int rowCount, MarkerIds markers, DumpOptions options)
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

    private static (PatchGrid[] Grids, TracePicture[] Pictures) FindGrids(
        string path,
        int[] tokenIds,
        MarkerIds markers,
        DumpOptions options
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
        TracePicture[] pictures = [.. options.Pictures.Select(Open)];
        return ([.. cells.Select(GridOf)], pictures);

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

            var shape = Math.Log((double)pictures[index].Height / pictures[index].Width);
            var best = Enumerable
                .Range(1, count)
                .Where(rows => count % rows == 0)
                .MinBy(rows => Math.Abs(Math.Log((double)rows * rows / count) - shape));
            return Merged(best, count / best);
        }

        TracePicture Open(string file, int index)
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

        // A trace's grids are those before the vision tower merges 2 x 2 patches.
        static PatchGrid Merged(int rows, int columns) => new(1, 2 * rows, 2 * columns);
    }
}
