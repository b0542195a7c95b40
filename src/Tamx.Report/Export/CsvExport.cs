using System.Globalization;
using System.Text;

namespace Tamx.Report;

/// <summary>
/// Three tables: tokens.csv, cells.csv, relevance.csv. UTF-8, commas, names in the first line (RFC 4180).
/// </summary>
internal static class CsvExport
{
    public static async Task WriteAsync(
        Trace trace,
        ActivationMaps maps,
        string folder,
        CancellationToken cancellationToken
    )
    {
        await WriteAsync(folder, "tokens.csv", Tokens(maps), cancellationToken).ConfigureAwait(false);
        await WriteAsync(folder, "cells.csv", Cells(maps), cancellationToken).ConfigureAwait(false);
        await WriteAsync(folder, "relevance.csv", Relevance(trace, maps), cancellationToken).ConfigureAwait(false);
    }

    private static Task WriteAsync(
        string folder,
        string name,
        IEnumerable<object?[]> rows,
        CancellationToken cancellationToken
    ) =>
        WholeFile.WriteAsync(
            Path.Combine(folder, name),
            async stream =>
            {
                var writer = new StreamWriter(
                    stream,
                    new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                    leaveOpen: true
                )
                {
                    NewLine = "\r\n",
                };
                await using (writer.ConfigureAwait(false))
                {
                    foreach (var row in rows)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        await writer.WriteLineAsync(string.Join(',', row.Select(Field))).ConfigureAwait(false);
                    }
                }
            }
        );

    /// <summary>A row per answer token and candidate. The rank is empty for the answer's own token.</summary>
    private static IEnumerable<object?[]> Tokens(ActivationMaps maps)
    {
        yield return
        [
            "token",
            "rank",
            "position",
            "id",
            "text",
            "word",
            "probability",
            "logit",
            "range_minimum",
            "range_maximum",
        ];
        var words = new string[maps.Answer.Count];
        foreach (var word in maps.Words)
        {
            foreach (var index in word.Word.TokenIndices)
            {
                words[index] = word.Word.Text;
            }
        }

        for (var i = 0; i < maps.Answer.Count; i++)
        {
            foreach ((var rank, var token) in Explained(maps.Answer[i]))
            {
                (var minimum, var maximum) = RangeOf(maps, maps.Answer[i], token);
                yield return
                [
                    i,
                    rank,
                    maps.Answer[i].Position,
                    token.TokenId,
                    token.Text,
                    rank is null ? words[i] : null,
                    Known(token.Probability),
                    Known(token.Logit),
                    minimum,
                    maximum,
                ];
            }
        }
    }

    private static IEnumerable<object?[]> Cells(ActivationMaps maps)
    {
        yield return ["token", "rank", "block", "frame", "row", "column", "value"];
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            foreach ((var rank, var token) in Explained(maps.Answer[i]))
            {
                for (var b = 0; b < token.VisionMaps.Count; b++)
                {
                    var (_, rows, columns) = maps.Layout.VisionBlocks[b].Grid;
                    var values = token.VisionMaps[b]?.Values ?? default;
                    for (var cell = 0; cell < values.Length; cell++)
                    {
                        yield return
                        [
                            i,
                            rank,
                            b,
                            cell / (rows * columns),
                            cell / columns % rows,
                            cell % columns,
                            values.Span[cell],
                        ];
                    }
                }
            }
        }
    }

    /// <summary>Relevance of the text before each token, with a row for each value that is not 0.</summary>
    private static IEnumerable<object?[]> Relevance(Trace trace, ActivationMaps maps)
    {
        yield return ["token", "rank", "position", "text", "value"];
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            foreach ((var rank, var token) in Explained(maps.Answer[i]))
            {
                for (var k = 0; k < token.TextRelevance.Length; k++)
                {
                    if (token.TextRelevance[k] != 0)
                    {
                        var position = maps.Answer[i].TextPositions[k];
                        yield return
                        [
                            i,
                            rank,
                            position,
                            trace.FindText(trace.TokenIds[position]),
                            token.TextRelevance[k],
                        ];
                    }
                }
            }
        }
    }

    private static IEnumerable<(int? Rank, ExplainedToken Token)> Explained(AnswerToken token) =>
        token.Candidates.Select((candidate, rank) => ((int?)rank, candidate)).Prepend((null, token.Token));

    /// <summary>The raw values that became 0 and 1 in a token's maps.</summary>
    internal static (float Minimum, float Maximum) RangeOf(
        ActivationMaps maps,
        AnswerToken token,
        ExplainedToken explained
    ) => maps.Options.NormalizeWithCandidates ? token.RawRange : explained.RawRange;

    private static float? Known(float value) => float.IsFinite(value) ? value : null;

    private static string Field(object? value)
    {
        // Numbers may begin with a minus. Only a text can be a formula.
        var text = value is string outside
            ? OutsideText.Cell(outside)
            : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny("\",\r\n") < 0
            ? text
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
