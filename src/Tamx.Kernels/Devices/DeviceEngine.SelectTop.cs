namespace Tamx.Kernels.Devices;

/// <content>The best tokens of a vocabulary: its rows go up a slice at a time, and of their logits the best come down.</content>
public sealed unsafe partial class DeviceEngine
{
    private readonly DeviceBuffer _tokens = new();
    private readonly DeviceBuffer _tokenRows = new();
    private readonly DeviceBuffer _sums = new();

    /// <inheritdoc/>
    public void SelectTop(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        int firstId,
        Span<TokenScore> best,
        Span<double> logSums,
        CancellationToken cancellationToken = default)
    {
        int count = TopTokens.Validate(states, outputRows, hiddenSize, firstId, best, logSums);
        cancellationToken.ThrowIfCancellationRequested();
        int rowCount = outputRows.Length / hiddenSize;
        if (logSums.IsEmpty || rowCount == 0)
        {
            return;
        }

        // As many states at a time as keep both them and their logits small.
        int sliceSize = (int)Math.Min(logSums.Length, SliceSize(logSums.Length, Math.Max(hiddenSize, rowCount)));
        int lastSize = logSums.Length % sliceSize;
        var logits = new float[sliceSize * count];
        var rows = new int[sliceSize * count];
        var sums = new float[sliceSize * 2];
        _memory.Reserve(
            (_states, (long)sliceSize * hiddenSize * sizeof(float)),
            (_outputRows, SizeOf(outputRows)),
            (_parts, Math.Max(PartsSize(sliceSize, rowCount, hiddenSize), PartsSize(lastSize, rowCount, hiddenSize))),
            (_activations, (long)sliceSize * rowCount * sizeof(float)),
            (_tokens, SizeOf<float>(logits)),
            (_tokenRows, SizeOf<int>(rows)),
            (_sums, SizeOf<float>(sums)));
        Upload(_outputRows, outputRows);
        for (int first = 0; first < logSums.Length; first += sliceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int stateCount = Math.Min(sliceSize, logSums.Length - first);
            Upload(_states, states.Slice(first * hiddenSize, stateCount * hiddenSize));

            // States and output rows in each other's place, so that a state's logits lie side by side.
            Multiply(_states, _outputRows, stateCount, rowCount, hiddenSize, rowCount, 0, float.NegativeInfinity);
            _device.Launch(DeviceKernel.TopCandidates, stateCount, 1, [_activations, _tokens, _tokenRows, _sums, rowCount, count]);
            Download(_tokens, logits.AsSpan(0, stateCount * count));
            Download(_tokenRows, rows.AsSpan(0, stateCount * count));
            Download(_sums, sums.AsSpan(0, stateCount * 2));
            for (int p = 0; p < stateCount; p++)
            {
                for (int i = p * count; i < (p + 1) * count && rows[i] < rowCount; i++)
                {
                    TopTokens.Insert(best.Slice((first + p) * count, count), new TokenScore(firstId + rows[i], logits[i]));
                }

                logSums[first + p] = TopTokens.Join(logSums[first + p], sums[2 * p] + Math.Log(sums[2 * p + 1]));
            }
        }
    }
}
