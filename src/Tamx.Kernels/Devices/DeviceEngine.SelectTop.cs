namespace Tamx.Kernels.Devices;

/// <content>The best tokens of a vocabulary: its rows are uploaded, and only the best logits downloaded.</content>
internal sealed unsafe partial class DeviceEngine
{
    private readonly DeviceBuffer _tokens = new();
    private readonly DeviceBuffer _tokenRows = new();
    private readonly DeviceBuffer _sums = new();

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        query.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        var (stateCount, rowCount, hiddenSize) = (query.StateCount, query.OutputRowCount, query.HiddenSize);
        var count = query.TopCount;
        if (stateCount == 0 || rowCount == 0)
        {
            return;
        }

        // So many states at a time that neither they nor their logits take much memory.
        var sliceSize = (int)Math.Min(stateCount, SliceSize(stateCount, Math.Max(hiddenSize, rowCount)));
        var lastSize = stateCount % sliceSize;
        var logits = new float[sliceSize * count];
        var rows = new int[sliceSize * count];
        var sums = new float[sliceSize * 2];
        _memory.Reserve(
            (_states, (long)sliceSize * hiddenSize * sizeof(float)),
            (_outputRows, SizeOf(query.OutputRows)),
            (_parts, Math.Max(PartsSize(sliceSize, rowCount, hiddenSize), PartsSize(lastSize, rowCount, hiddenSize))),
            (_activations, (long)sliceSize * rowCount * sizeof(float)),
            (_tokens, SizeOf<float>(logits)),
            (_tokenRows, SizeOf<int>(rows)),
            (_sums, SizeOf<float>(sums))
        );
        Upload(_outputRows, query.OutputRows);
        for (var first = 0; first < stateCount; first += sliceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sliceCount = Math.Min(sliceSize, stateCount - first);
            Upload(_states, query.States.Slice(first * hiddenSize, sliceCount * hiddenSize));

            // States and output rows change places, so that a state's logits are contiguous.
            Multiply(_states, _outputRows, sliceCount, rowCount, hiddenSize, rowCount, 0, float.NegativeInfinity);
            _device.Launch(
                DeviceKernel.TopCandidates,
                sliceCount,
                1,
                [_activations, _tokens, _tokenRows, _sums, rowCount, count]
            );
            Download(_tokens, logits.AsSpan(0, sliceCount * count));
            Download(_tokenRows, rows.AsSpan(0, sliceCount * count));
            Download(_sums, sums.AsSpan(0, sliceCount * 2));
            for (var p = 0; p < sliceCount; p++)
            {
                for (var i = p * count; i < (p + 1) * count && rows[i] < rowCount; i++)
                {
                    TopTokens.Insert(query.BestOf(first + p), new TokenScore(query.FirstId + rows[i], logits[i]));
                }

                ref var logSum = ref query.LogSums[first + p];
                logSum = TopTokens.Join(logSum, sums[2 * p] + Math.Log(sums[2 * p + 1]));
            }
        }
    }
}
