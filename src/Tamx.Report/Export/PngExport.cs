using System.Globalization;
using System.Numerics.Tensors;
using Tamx.Llama.Media;

namespace Tamx.Report;

/// <summary>
/// A PNG per answer token (or word) and frame of each picture: 0012-sign.png. If there are several pictures or frames,
/// the name has their numbers.
/// </summary>
internal static class PngExport
{
    private const int LongestName = 24;

    public static void Write(
        Trace trace,
        ActivationMaps maps,
        string folder,
        MapExportOptions options,
        CancellationToken cancellationToken
    )
    {
        Drawn[] all = [.. options.Words ? Words(maps) : Tokens(maps)];
        var media = ReportMedia.Of(maps.Layout.VisionBlocks, trace.VideoGrids);
        for (var m = 0; m < media.Count; m++)
        {
            for (var f = 0; f < media[m].Frames.Count; f++)
            {
                (var block, var frame) = media[m].Frames[f];
                var source = trace.Pictures.FirstOrDefault(one => one.BlockIndex == block && one.FrameIndex == frame);
                var picture = source is null
                    ? null
                    : RgbImage.Decode(source.Bytes, source.Name ?? $"picture of vision block {block}");
                var place =
                    (media.Count > 1 ? Invariant($"-{m + 1}") : "")
                    + (media[m].Frames.Count > 1 ? Invariant($"-frame-{f + 1:D3}") : "");
                foreach (var one in all)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (one.Maps[block]?.Frame(frame) is { } map)
                    {
                        var png = Draw(picture, map, one, options).EncodePng();
                        WholeFile.Write(Path.Combine(folder, $"{one.Name}{place}.png"), stream => stream.Write(png));
                    }
                }
            }
        }
    }

    /// <summary>A word's map over one picture.</summary>
    public static RgbImage Draw(Trace trace, ExplainedWord word, int block, int maxSide, MapExportOptions options)
    {
        var source = trace.Pictures.First(one => one.BlockIndex == block && one.FrameIndex == 0);
        var picture = RgbImage.Decode(source.Bytes, source.Name ?? $"picture of vision block {block}");
        var scale = (double)maxSide / Math.Max(picture.Width, picture.Height);
        if (scale < 1)
        {
            picture = picture.Resize(
                Math.Max(1, (int)Math.Round(picture.Width * scale)),
                Math.Max(1, (int)Math.Round(picture.Height * scale))
            );
        }

        return Draw(picture, word.VisionMaps[block]!.Frame(0), new Drawn("", word.VisionMaps, word.RawRange), options);
    }

    private static RgbImage Draw(RgbImage? picture, ActivationMap map, Drawn drawn, MapExportOptions options)
    {
        var values = Array.ConvertAll(map.Values.ToArray(), drawn.Raw);
        return OverlayImage.Draw(picture, values, map.Grid.Rows, map.Grid.Columns, drawn.Extremes, options);
    }

    private static IEnumerable<Drawn> Tokens(ActivationMaps maps) =>
        maps.Answer.Select(
            (token, i) =>
                new Drawn(
                    Name(i, token.Token.Text ?? ""),
                    token.Token.VisionMaps,
                    CsvExport.RangeOf(maps, token, token.Token)
                )
        );

    private static IEnumerable<Drawn> Words(ActivationMaps maps) =>
        maps.Words.Select(word => new Drawn(
            Name(word.Word.TokenIndices[0], word.Word.Text),
            word.VisionMaps,
            word.RawRange
        ));

    /// <summary>A name that every file system accepts. The names sort in the answer's order.</summary>
    private static string Name(int index, string text)
    {
        string plain = new([.. text.Where(char.IsAsciiLetterOrDigit).Take(LongestName)]);
        return Invariant($"{index:D4}") + (plain.Length > 0 ? $"-{plain}" : "");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Drawn(string Name, IReadOnlyList<ActivationMap?> Maps, (float Minimum, float Maximum) Range)
    {
        /// <summary>The least and the greatest raw value of all maps: the ends of the colour scale.</summary>
        public (float Minimum, float Maximum) Extremes { get; } =
            (
                Raw(Range, Maps.Min(map => map is null ? null : (float?)TensorPrimitives.Min(map.Values.Span)) ?? 0),
                Raw(Range, Maps.Max(map => map?.Peak.Value) ?? 0)
            );

        /// <summary>The raw value of a normalised one.</summary>
        public float Raw(float value) => Raw(Range, value);

        private static float Raw((float Minimum, float Maximum) range, float value) =>
            (float)(range.Minimum + (value * ((double)range.Maximum - range.Minimum)));
    }
}
