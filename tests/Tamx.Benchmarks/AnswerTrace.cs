using System.Collections.Immutable;

namespace Tamx.Benchmarks;

/// <summary>
/// Traces of made-up runs: a picture or video, a question, an answer, and random states of a real model's size.
/// </summary>
internal static class AnswerTrace
{
    private const int QuestionLength = 24;
    private const int FirstWord = 1000;
    private const int MostWords = 50_000;

    /// <summary>Whether an id is a word of question, answer or candidates, and no marker.</summary>
    public static bool IsWord(int id) => id is >= FirstWord and < FirstWord + MostWords;

    /// <summary>Makes a trace.</summary>
    /// <param name="frames">Temporal patches; one for a picture.</param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Columns of cells.</param>
    /// <param name="answerLength">Tokens of the answer.</param>
    /// <param name="candidateCount">Candidates per step, all of them other than the token that was written.</param>
    /// <param name="wordCount">Different words that question, answer and candidates are drawn from.</param>
    /// <param name="hiddenSize">D.</param>
    public static Trace Create(
        int frames,
        int rows,
        int columns,
        int answerLength,
        int candidateCount,
        int wordCount = 110,
        int hiddenSize = 2048
    )
    {
        var random = new Random(20250711);
        var markers = MarkerIds.QwenPublished;
        var words = Words(QuestionLength + answerLength);
        int[] ids =
        [
            markers.TurnStart,
            markers.User!.Value,
            markers.Newline!.Value,
            markers.VisionStart,
            .. Enumerable.Repeat(frames == 1 ? markers.ImagePad : markers.VideoPad!.Value, frames * rows * columns),
            markers.VisionEnd,
            .. words[..QuestionLength],
            markers.TurnEnd,
            markers.Newline!.Value,
            markers.TurnStart,
            markers.Assistant!.Value,
            markers.Newline!.Value,
            .. words[QuestionLength..],
        ];
        ImmutableArray<int>[] candidates =
        [
            .. words[QuestionLength..].Select(word => OtherWords(word).ToImmutableArray()),
        ];
        int[] outputIds = [.. ids.Concat(candidates.SelectMany(step => step)).Distinct().Order()];
        PatchGrid[] grids = [new(frames, 2 * rows, 2 * columns)];
        return new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = hiddenSize,
            HiddenStates = Values((ids.Length - 1) * hiddenSize, 1),
            OutputIds = [.. outputIds],
            OutputRows = Values(outputIds.Length * hiddenSize, 2 / MathF.Sqrt(hiddenSize)),
            ImageGrids = frames == 1 ? grids : [],
            VideoGrids = frames == 1 ? [] : grids,
            CandidateIds = candidates,
        };

        // Zipf's law: the r-th word comes up in proportion to 1 / r, so that longer answers have more different words,
        // but fewer and fewer new ones.
        int[] Words(int count) =>
            [.. Enumerable.Range(0, count).Select(_ => FirstWord + (int)Math.Pow(wordCount, random.NextDouble()) - 1)];

        int[] OtherWords(int word)
        {
            var others = new HashSet<int>();
            while (others.Count < candidateCount)
            {
                var other = FirstWord + random.Next(wordCount);
                if (other != word)
                {
                    others.Add(other);
                }
            }

            return [.. others];
        }

        float[] Values(int count, float deviation)
        {
            // Uniform, of that deviation: the maps' arithmetic does not care.
            var reach = deviation * MathF.Sqrt(3);
            var values = new float[count];
            foreach (ref var value in values.AsSpan())
            {
                value = ((2 * random.NextSingle()) - 1) * reach;
            }

            return values;
        }
    }
}
