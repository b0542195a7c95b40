namespace Tamx.Report;

/// <summary>
/// Arrays for NumPy. A = answer tokens, K = most candidates of a token, T = text positions. NaN = no value.
/// </summary>
internal static class NpyExport
{
    public static async Task WriteAsync(ActivationMaps maps, string folder, CancellationToken cancellationToken)
    {
        var answer = maps.Answer;
        var count = answer.Count;
        var candidates = answer.Select(token => token.Candidates.Count).DefaultIfEmpty().Max();
        int[] text = [.. maps.Layout.ContextPositions, .. maps.Layout.AnswerPositions];
        var textIndex = new Dictionary<int, int>();
        for (var i = 0; i < text.Length; i++)
        {
            textIndex.TryAdd(text[i], i);
        }

        for (var b = 0; b < maps.Layout.VisionBlocks.Count; b++)
        {
            var block = b;
            (var frames, var rows, var columns) = maps.Layout.VisionBlocks[b].Grid;
            var cells = frames * rows * columns;
            await WriteFloats(
                    $"maps.{b}",
                    [count, frames, rows, columns],
                    answer.Select(token => Values(token.Token.VisionMaps[block], cells))
                )
                .ConfigureAwait(false);
            await WriteFloats(
                    $"candidate_maps.{b}",
                    [count, candidates, frames, rows, columns],
                    answer.SelectMany(token =>
                        Padded(token, candidates).Select(candidate => Values(candidate?.VisionMaps[block], cells))
                    )
                )
                .ConfigureAwait(false);
        }

        await WriteFloats(
                "relevance",
                [count, text.Length],
                answer.Select(token => (ReadOnlyMemory<float>)Relevance(token, token.Token))
            )
            .ConfigureAwait(false);
        await WriteFloats(
                "ranges",
                [count, 2],
                answer.Select(token => (ReadOnlyMemory<float>)Range(CsvExport.RangeOf(maps, token, token.Token)))
            )
            .ConfigureAwait(false);
        await WriteFloats(
                "logits",
                [count, 1 + candidates],
                answer.Select(token =>
                    (ReadOnlyMemory<float>)
                        Padded(token, candidates).Prepend(token.Token).Select(one => one?.Logit ?? float.NaN).ToArray()
                )
            )
            .ConfigureAwait(false);
        await WriteFloats(
                "probabilities",
                [count, 1 + candidates],
                answer.Select(token =>
                    (ReadOnlyMemory<float>)
                        Padded(token, candidates)
                            .Prepend(token.Token)
                            .Select(one => one?.Probability ?? float.NaN)
                            .ToArray()
                )
            )
            .ConfigureAwait(false);
        await WriteIntegers("token_ids", [count], answer.Select(token => token.Token.TokenId)).ConfigureAwait(false);
        await WriteIntegers(
                "candidate_ids",
                [count, candidates],
                answer.SelectMany(token => Padded(token, candidates).Select(candidate => candidate?.TokenId ?? -1))
            )
            .ConfigureAwait(false);
        await WriteIntegers("positions", [count], answer.Select(token => token.Position)).ConfigureAwait(false);
        await WriteIntegers("text_positions", [text.Length], text).ConfigureAwait(false);

        Task WriteFloats(string name, int[] shape, IEnumerable<ReadOnlyMemory<float>> rows) =>
            NpyFile.WriteAsync(Path.Combine(folder, name + ".npy"), shape, rows, cancellationToken);
        Task WriteIntegers(string name, int[] shape, IEnumerable<int> values) =>
            NpyFile.WriteAsync(Path.Combine(folder, name + ".npy"), shape, values, cancellationToken);

        float[] Relevance(AnswerToken token, ExplainedToken explained)
        {
            var row = Unknown(text.Length);
            for (var k = 0; k < explained.TextRelevance.Length; k++)
            {
                row[textIndex[token.TextPositions[k]]] = explained.TextRelevance[k];
            }

            return row;
        }
    }

    private static IEnumerable<ExplainedToken?> Padded(AnswerToken token, int count) =>
        Enumerable.Range(0, count).Select(rank => rank < token.Candidates.Count ? token.Candidates[rank] : null);

    private static float[] Range((float Minimum, float Maximum) range) => [range.Minimum, range.Maximum];

    private static ReadOnlyMemory<float> Values(ActivationMap? map, int cells) => map?.Values ?? Unknown(cells);

    private static float[] Unknown(int length)
    {
        var values = new float[length];
        Array.Fill(values, float.NaN);
        return values;
    }
}
