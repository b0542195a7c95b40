using System.Text;
using System.Text.Json;

namespace Tamx.Report;

/// <summary>Matches two runs of the same answer, whose tokens and grids may differ.</summary>
internal sealed class RunComparison
{
    private RunComparison(string firstName, string secondName, (int From, int To)?[] pairs) =>
        (FirstName, SecondName, Pairs) = (firstName, secondName, pairs);

    public string FirstName { get; }

    public string SecondName { get; }

    /// <summary>
    /// For each answer token of the first run, the span of the second run's answer with the same text, or null.
    /// </summary>
    public IReadOnlyList<(int From, int To)?> Pairs { get; }

    /// <summary>Compares two runs.</summary>
    /// <exception cref="InvalidInputException">They do not have one answer about the same pictures.</exception>
    public static RunComparison Of(ReportRun first, ReportRun second)
    {
        RequireSamePictures(first, second);
        var ours = Pieces(first);
        var theirs = Pieces(second);
        byte[] ourText = [.. ours.SelectMany(piece => piece.Bytes)];
        byte[] theirText = [.. theirs.SelectMany(piece => piece.Bytes)];
        if (!ourText.AsSpan().SequenceEqual(theirText))
        {
            throw new InvalidInputException(
                $"report: the two runs hold different answers, \"{Shown(ourText)}\" and \"{Shown(theirText)}\"; explain one answer with both"
            );
        }

        (var firstName, var secondName) = Names(first, second);
        return new RunComparison(firstName, secondName, MatchAll(ours, theirs));
    }

    /// <summary>Writes names and pairs as JSON that is safe inside a script element.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("names");
        json.WriteStringValue(FirstName);
        json.WriteStringValue(SecondName);
        json.WriteEndArray();
        json.WriteStartArray("pairs");
        foreach (var pair in Pairs)
        {
            if (pair is { } span)
            {
                json.WriteStartArray();
                json.WriteNumberValue(span.From);
                json.WriteNumberValue(span.To);
                json.WriteEndArray();
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void RequireSamePictures(ReportRun first, ReportRun second)
    {
        var ours = Media(first);
        var theirs = Media(second);
        if (ours != theirs)
        {
            throw new InvalidInputException(
                $"report: the two runs are about different pictures ({ours} and {theirs}); both must be asked about the same"
            );
        }

        static string Media(ReportRun run)
        {
            var media = ReportMedia.Of(run.Maps.Layout.VisionBlocks, run.Trace.VideoGrids);
            return media.Count == 0
                ? "none"
                : string.Join(
                    ", ",
                    media.Select(one => one.IsVideo ? $"{one.Name} of {one.Frames.Count} frames" : one.Name)
                );
        }
    }

    /// <summary>
    /// An answer's tokens with the place of their text. Control tokens are not part of the text, because one run may
    /// explain them and the other not.
    /// </summary>
    private static Piece[] Pieces(ReportRun run)
    {
        var offset = 0;
        return
        [
            .. run.Maps.Answer.Select(token =>
            {
                var bytes = (
                    run.Trace.FindBytes(token.Token.TokenId) ?? Encoding.UTF8.GetBytes($"#{token.Token.TokenId}")
                ).ToArray();
                var isControl =
                    bytes.Length > 4 && bytes.AsSpan().StartsWith("<|"u8) && bytes.AsSpan().EndsWith("|>"u8);
                var piece = new Piece(
                    offset,
                    isControl ? [] : bytes,
                    isControl ? Encoding.UTF8.GetString(bytes) : null
                );
                offset += piece.Bytes.Length;
                return piece;
            }),
        ];
    }

    /// <summary>For each piece of one answer, the span of the other's pieces with its text.</summary>
    private static (int From, int To)?[] MatchAll(Piece[] pieces, Piece[] others)
    {
        var spans = new (int From, int To)?[pieces.Length];
        var first = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            // Both stand in order. What ends before this piece begins is of no later one either.
            var piece = pieces[i];
            while (first < others.Length && others[first].Start < piece.Start && others[first].End <= piece.Start)
            {
                first++;
            }

            for (var k = first; k < others.Length && others[k].Start <= piece.End; k++)
            {
                if (IsSame(piece, others[k]))
                {
                    spans[i] = (spans[i]?.From ?? k, k);
                }
            }
        }

        return spans;
    }

    private static bool IsSame(Piece piece, Piece other) =>
        piece.Control is null
            ? other.Bytes.Length > 0 && other.Start < piece.End && piece.Start < other.End
            : other.Control == piece.Control && other.Start == piece.Start;

    /// <summary>What differs between the runs, in few words.</summary>
    private static (string First, string Second) Names(ReportRun first, ReportRun second)
    {
        var ours = Facts(first);
        var theirs = Facts(second);
        int[] different = [.. Enumerable.Range(0, ours.Length).Where(i => ours[i] != theirs[i])];
        return (first.Name ?? Join(ours, "A"), second.Name ?? Join(theirs, "B"));

        string Join(string?[] facts, string otherwise)
        {
            var joined = string.Join(", ", different.Select(i => facts[i]).Where(fact => fact is not null));
            return joined.Length == 0 ? otherwise : joined;
        }

        static string?[] Facts(ReportRun run) =>
            [
                run.Trace.Run.Model,
                run.Trace.Run.Quantization,
                run.Maps.Options.DescribeMethod(run.Trace.Run),
                $"profile {run.Maps.Options.Profile.ToString().ToLowerInvariant()}",
                run.Maps.Options.ApplyEci ? "ECI" : "no ECI",
                run.Maps.Options.ApplyFilter ? $"filter {run.Maps.Options.KernelSize}" : "no filter",
            ];
    }

    private static string Shown(byte[] text) => OutsideText.Name(Encoding.UTF8.GetString(text));

    private sealed record Piece(int Start, byte[] Bytes, string? Control)
    {
        public int End => Start + Bytes.Length;
    }
}
