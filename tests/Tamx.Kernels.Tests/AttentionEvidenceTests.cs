namespace Tamx.Kernels.Tests;

/// <summary>Both products against plain sums, at lengths that do and do not fill tiles, strips and vectors.</summary>
public sealed class AttentionEvidenceTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(11, 33, 7, 5)]
    [InlineData(12, 32, 64, 64)]
    [InlineData(25, 70, 40, 17)]
    [InlineData(60, 96, 300, 256)]
    public void ProjectBack_InSlices_AddsAllComponents(int count, int querySize, int hiddenSize, int sliceRows)
    {
        var random = new Random(count);
        var matrix = Values(random, hiddenSize * querySize);
        var directions = Values(random, count * hiddenSize);
        var before = Values(random, count * querySize);

        var sums = ProjectBack(1);
        Assert.Equal(sums, ProjectBack(3));
        for (var n = 0; n < count; n++)
        {
            for (var q = 0; q < querySize; q++)
            {
                double expected = before[(n * querySize) + q];
                for (var o = 0; o < hiddenSize; o++)
                {
                    expected += (double)matrix[(o * querySize) + q] * directions[(n * hiddenSize) + o];
                }

                Assert.Equal(expected, sums[(n * querySize) + q], 1e-6 * hiddenSize);
            }
        }

        float[] ProjectBack(int threadCount)
        {
            var evidence = new AttentionEvidence(threadCount);
            float[] projected = [.. before];
            for (var first = 0; first < hiddenSize; first += sliceRows)
            {
                var rows = Math.Min(sliceRows, hiddenSize - first);
                evidence.ProjectBack(
                    matrix.AsSpan(first * querySize, rows * querySize),
                    first,
                    directions,
                    hiddenSize,
                    projected
                );
            }

            return projected;
        }
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 33, 7)]
    [InlineData(12, 64, 64)]
    [InlineData(26, 70, 33)]
    public void AddShares_RowsOfSeveralLengths_AddsEachQuerysOwn(int count, int positions, int headSize)
    {
        var random = new Random(count);
        var valueSize = (3 * headSize) + 1;
        var values = Values(random, positions * valueSize);
        var projected = Values(random, count * headSize);
        float[][] weights =
        [
            .. Enumerable.Range(0, count).Select(i => Values(random, Math.Max(1, positions - (i * positions / count)))),
        ];

        var scores = AddShares(1);
        Assert.Equal(scores, AddShares(3));
        for (var i = 0; i < count; i += 2)
        {
            for (var v = 0; v < positions; v++)
            {
                // Two queries in a row write to the same scores.
                var expected = 1.0 + Share(i, v) + (i + 1 < count ? Share(i + 1, v) : 0);
                Assert.Equal(expected, scores[i / 2][v], 1e-6 * headSize);
            }
        }

        double Share(int i, int v) =>
            v >= weights[i].Length
                ? 0
                : weights[i][v]
                    * Enumerable
                        .Range(0, headSize)
                        .Sum(d => (double)values[(v * valueSize) + headSize + d] * projected[(i * headSize) + d]);

        double[][] AddShares(int threadCount)
        {
            double[][] sums = [.. Enumerable.Range(0, (count + 1) / 2).Select(_ => new double[positions])];
            foreach (var own in sums)
            {
                Array.Fill(own, 1);
            }

            new AttentionEvidence(threadCount).AddShares(
                values,
                valueSize,
                headSize,
                projected,
                [.. weights.Select(row => new ReadOnlyMemory<float>(row))],
                [.. Enumerable.Range(0, count).Select(i => sums[i / 2])]
            );
            return sums;
        }
    }

    [Fact]
    public void LengthsThatDoNotFit_AreRefused()
    {
        var evidence = new AttentionEvidence(1);
        Assert.Throws<ArgumentException>(() => evidence.ProjectBack(new float[6], 2, new float[4], 4, new float[2]));
        Assert.Throws<ArgumentException>(() => evidence.ProjectBack(new float[5], 0, new float[4], 4, new float[2]));
        Assert.Throws<ArgumentException>(() => Add(3, 0, 4, 3));
        Assert.Throws<ArgumentException>(() => Add(2, 1, 3, 3));
        Assert.Throws<ArgumentException>(() => Add(2, 0, 3, 2));
        Assert.Throws<OperationCanceledException>(() =>
            evidence.ProjectBack(new float[4], 0, new float[2], 2, new float[2], new CancellationToken(true))
        );

        void Add(int headSize, int firstValue, int weightCount, int scoreCount) =>
            evidence.AddShares(
                new float[6],
                2,
                firstValue,
                new float[headSize],
                [new float[weightCount]],
                [new double[scoreCount]]
            );
    }

    private static float[] Values(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
}
