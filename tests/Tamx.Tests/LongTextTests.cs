using Tamx.Kernels;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

/// <summary>Long texts cost in proportion: a token keeps the greatest of its relevance, and turns are read once.</summary>
/// <remarks>One test measures what the process holds, so no other class runs meanwhile.</remarks>
[Collection(nameof(LongTextTests))]
[CollectionDefinition(nameof(LongTextTests), DisableParallelization = true)]
public class LongTextTests
{
    private const int AllText = 4096;
    private const int MostKept = 512;

    [Fact]
    public void Compute_TextBeyondTheBound_KeepsTheGreatest()
    {
        var trace = Long(contextLength: AllText + 300, answerLength: 40, candidateCount: 2);
        using var engine = new ReferenceEngine();

        var maps = ActivationMaps.Compute(trace, engine: engine);

        var rows = new TraceRows(trace);
        int[] text = [.. maps.Layout.ContextPositions, .. maps.Layout.AnswerPositions];
        foreach (var (i, token) in maps.Answer.Index())
        {
            Assert.InRange(token.TextPositions.Count, 100, MostKept);
            Assert.Equal(token.TextPositions.Order().Distinct(), token.TextPositions);
            var scores = text[..(maps.Layout.ContextPositions.Count + i)]
                .ToDictionary(
                    position => position,
                    position => Math.Max(0, ContextText.Logit(rows, token.Token.TokenId, position))
                );
            var kept = token.TextPositions.Zip(token.Token.TextRelevance).ToDictionary();
            var (minimum, maximum) = token.RawRange;
            Assert.All(
                kept,
                pair => Assert.Equal(scores[pair.Key], minimum + (pair.Value * (maximum - minimum)), 1e-4)
            );

            // What is left out is no greater than the least of its own share.
            var share = scores.Values.OrderDescending().Take(MostKept / 3).Last();
            Assert.All(scores.Where(pair => pair.Value > share), pair => Assert.Contains(pair.Key, kept));
        }
    }

    [Fact]
    public void Compute_TextWithinTheBound_IsAllThere()
    {
        var maps = ActivationMaps.Compute(Long(contextLength: AllText - 20, answerLength: 20, candidateCount: 1));

        Assert.All(
            maps.Answer.Index(),
            entry =>
                Assert.Equal(
                    maps.Layout.ContextPositions.Concat(maps.Layout.AnswerPositions.Take(entry.Index)),
                    entry.Item.TextPositions
                )
        );
    }

    [Fact]
    public void Compute_TwiceTheAnswer_HoldsTwiceTheMemory()
    {
        var (less, more) = (BytesHeld(6000), BytesHeld(12_000));

        // All of each token's text would be four times as much.
        Assert.InRange(more / (double)less, 1, 2.8);

        static long BytesHeld(int answerLength)
        {
            var trace = Long(200, answerLength, candidateCount: 1);
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var maps = ActivationMaps.Compute(trace);
            var held = GC.GetTotalMemory(forceFullCollection: true) - before;
            GC.KeepAlive(maps);
            return held;
        }
    }

    [Fact]
    public void Compute_OneIdOverAndOver_KeepsItsFirstEntries()
    {
        int[] ids = [.. User(7, 8), .. Generated([.. Enumerable.Repeat(20, 6000)])];
        var trace = Create(ids, candidates: [.. Enumerable.Repeat((int[])[20], 6000)]);
        var maps = ActivationMaps.Compute(trace);

        Assert.All(maps.Answer, token => Assert.Equal(token.TextPositions.Count, token.Token.TextRelevance.Length));
        Assert.True(maps.Answer[^1].TextPositions.Count <= MostKept);
    }

    [Fact]
    public void Save_LongText_NamesThePositions()
    {
        using var folder = new TemporaryFolder();
        var maps = ActivationMaps.Compute(Long(AllText - 3, answerLength: 8, candidateCount: 1));
        maps.Save(folder.File("maps.safetensors"));

        using var file = SafetensorsFile.Open(folder.File("maps.safetensors"));
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            var isWhole = maps.Layout.ContextPositions.Count + i <= AllText;
            Assert.Equal(!isWhole, file.Tensors.ContainsKey($"text_rel_pos.{i}"));
            if (!isWhole)
            {
                Assert.Equal(
                    maps.Answer[i].TextPositions.Select(position => (long)position),
                    file.ReadIntegers($"text_rel_pos.{i}")
                );
                Assert.Equal(file.Tensors[$"text_rel_pos.{i}"].Shape, file.Tensors[$"text_rel.{i}"].Shape);
            }
        }
    }

    [Fact]
    public void Join_WordsOfALongText_AlignByPosition()
    {
        var maps = ActivationMaps.Compute(
            Long(AllText + 10, answerLength: 6, candidateCount: 1, text: id => id % 2 == 0 ? " a" : "b")
        );

        foreach (var word in maps.Words.Where(word => word.Word.TokenIndices.Count > 1))
        {
            var tokens = word.Word.TokenIndices.Select(index => maps.Answer[index]).ToArray();
            for (var k = 0; k < word.TextRelevance.Length; k++)
            {
                var position = tokens[0].TextPositions[k];
                var raw = tokens.Max(token => Raw(token, position));
                var (minimum, maximum) = word.RawRange;
                Assert.Equal(Math.Max(raw, minimum), minimum + (word.TextRelevance[k] * (maximum - minimum)), 1e-3);
            }
        }

        static double Raw(AnswerToken token, int position)
        {
            var index = token.TextPositions.ToList().IndexOf(position);
            var (minimum, maximum) = token.Token.RawRange;
            return index < 0 ? minimum : minimum + (token.Token.TextRelevance[index] * (maximum - minimum));
        }
    }

    [Fact]
    public void Compute_ManyTurnsAndBlocks_FindsEachBlocksTurn()
    {
        const int Count = 3000;
        int[] ids =
        [
            .. Enumerable.Range(0, Count).SelectMany(i => User([.. Image(1), 30 + (i % 5)])),
            .. Generated(40, 41),
        ];
        var trace = Create(
            ids,
            [.. Enumerable.Repeat(new PatchGrid(1, 2, 2), Count)],
            candidates:
            [
                [40],
                [41],
            ]
        );

        var layout = trace.ParseLayout();

        Assert.Equal(Enumerable.Range(0, Count), layout.VisionBlocks.Select(block => block.TurnIndex));
        Assert.Equal(Count, ActivationMaps.Compute(trace).Answer[0].Token.VisionMaps.Count(map => map is not null));
    }

    private static Trace Long(int contextLength, int answerLength, int candidateCount, Func<int, string>? text = null)
    {
        var random = new Random(3);
        int[] answer = [.. Enumerable.Range(0, answerLength).Select(_ => 200 + random.Next(60))];
        int[] ids =
        [
            .. User([.. Image(4), .. Enumerable.Range(0, contextLength).Select(_ => 100 + random.Next(60))]),
            .. Generated(answer),
        ];
        int[][] candidates =
        [
            .. answer.Select(id => (int[])[id, .. Enumerable.Range(300, candidateCount - 1).Select(other => other)]),
        ];
        return Create(ids, [new PatchGrid(1, 4, 4)], candidates: candidates, text: text);
    }
}
