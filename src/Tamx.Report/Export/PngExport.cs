using System.Globalization;
using System.Text;
using Tamx.Llama.Media;

namespace Tamx.Report;

/// <summary>A PNG per answer token (or word) and frame of every picture: 0012-sign.png, with the picture and frame where there are several.</summary>
internal static class PngExport
{
    private const int LongestName = 24;

    public static void Write(Trace trace, ActivationMaps maps, string folder, MapExportOptions options, CancellationToken cancellationToken)
    {
        Drawn[] all = [.. options.Words ? Words(maps) : Tokens(trace, maps)];
        IReadOnlyList<ReportMedia> media = ReportMedia.Of(maps.Layout.VisionBlocks, trace.VideoGrids);
        for (int m = 0; m < media.Count; m++)
        {
            for (int f = 0; f < media[m].Frames.Count; f++)
            {
                (int block, int frame) = media[m].Frames[f];
                TracePicture? source = trace.Pictures.FirstOrDefault(one => one.BlockIndex == block && one.FrameIndex == frame);
                RgbImage? picture = source is null ? null : RgbImage.Decode(source.Bytes, source.Name ?? $"picture of vision block {block}");
                string place = (media.Count > 1 ? Invariant($"-{m + 1}") : "") + (media[m].Frames.Count > 1 ? Invariant($"-frame-{f + 1:D3}") : "");
                foreach (Drawn one in all)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (one.Maps[block] is { } map)
                    {
                        byte[] png = Draw(picture, map, maps.Layout.VisionBlocks[block].Grid, frame, one, options).EncodePng();
                        WholeFile.Write(Path.Combine(folder, $"{one.Name}{place}.png"), stream => stream.Write(png));
                    }
                }
            }
        }
    }

    private static RgbImage Draw(RgbImage? picture, float[] map, PatchGrid grid, int frame, Drawn drawn, MapExportOptions options)
    {
        int cells = grid.Rows * grid.Columns;
        float[] values = Array.ConvertAll(map[(frame * cells)..((frame + 1) * cells)], drawn.Raw);
        return OverlayImage.Draw(picture, values, grid.Rows, grid.Columns, drawn.Extremes, options);
    }

    private static IEnumerable<Drawn> Tokens(Trace trace, ActivationMaps maps) => maps.Answer.Select((token, i) => new Drawn(
        Name(i, trace.FindText(token.Token.TokenId) is { } bytes ? Encoding.UTF8.GetString(bytes) : ""),
        token.Token.VisionMaps,
        CsvExport.RangeOf(maps, token, token.Token)));

    private static IEnumerable<Drawn> Words(ActivationMaps maps) =>
        maps.Words.Select(word => new Drawn(Name(word.Word.TokenIndices[0], word.Word.Text), word.VisionMaps, word.RawRange));

    /// <summary>A name that every file system takes and that sorts in the answer's order.</summary>
    private static string Name(int index, string text)
    {
        string plain = new([.. text.Where(char.IsAsciiLetterOrDigit).Take(LongestName)]);
        return Invariant($"{index:D4}") + (plain.Length > 0 ? $"-{plain}" : "");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Drawn(string Name, IReadOnlyList<float[]?> Maps, (float Minimum, float Maximum) Range)
    {
        /// <summary>The least and the greatest raw value of all maps together: the ends of the colours.</summary>
        public (float Minimum, float Maximum) Extremes { get; } = (
            Raw(Range, Maps.Min(map => map?.Min()) ?? 0),
            Raw(Range, Maps.Max(map => map?.Max()) ?? 0));

        /// <summary>What a normalised value was.</summary>
        public float Raw(float value) => Raw(Range, value);

        private static float Raw((float Minimum, float Maximum) range, float value) => (float)(range.Minimum + (value * ((double)range.Maximum - range.Minimum)));
    }
}
