namespace Tamx.Kernels.Devices;

/// <summary>The engine for devices that run the kernels of native/kernels, in float32.</summary>
/// <remarks>
/// <para>
/// States and output rows go up, each once and the states in slices of bounded size; the maps come down; activations and interference never
/// leave the device. Memory on the device is kept from call to call.
/// </para>
/// <para>
/// Sums run in a fixed order and no two threads add to the same one, so a device gives the same bits every time. Results stay within 5e-6 of
/// <see cref="ReferenceEngine"/>, as a share of the range that is normalised or of the largest activation where that is larger.
/// </para>
/// </remarks>
public sealed unsafe partial class DeviceEngine : ITamEngine
{
    private readonly IKernelDevice _device;
    private readonly long _stateSliceBytes;
    private readonly DeviceMemory _memory;
    private readonly DeviceBuffer _states = new();
    private readonly DeviceBuffer _outputRows = new();
    private readonly DeviceBuffer _activations = new();
    private readonly DeviceBuffer _weights = new();
    private readonly DeviceBuffer _entries = new();
    private readonly DeviceBuffer _members = new();
    private readonly DeviceBuffer _starts = new();
    private readonly DeviceBuffer _ranges = new();
    private readonly DeviceBuffer _maps = new();
    private readonly DeviceBuffer _filtered = new();

    /// <summary>Creates the engine.</summary>
    /// <param name="device">The device, which the engine disposes of.</param>
    /// <param name="maxBytes">Most bytes to take on the device, or 0 for all there are.</param>
    /// <param name="stateSliceBytes">Bytes of states that are on the device at a time, at least those of 64 states.</param>
    public DeviceEngine(IKernelDevice device, long maxBytes, long stateSliceBytes = 64 << 20)
    {
        _device = device;
        _stateSliceBytes = stateSliceBytes;
        _memory = new DeviceMemory(device, maxBytes);
    }

    /// <inheritdoc/>
    public EngineKind Kind => _device.Info.Kind;

    /// <inheritdoc/>
    public string Name => $"{Kind}, {_device.Info.Name}: {_device.Info.Description}";

    /// <inheritdoc/>
    public long MaxWorkingBytes { get; init; } = EngineOptions.DefaultWorkingBytes;

    /// <inheritdoc/>
    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        cancellationToken.ThrowIfCancellationRequested();
        if (destination.IsEmpty)
        {
            return;
        }

        int stateCount = states.Length / hiddenSize;
        _memory.Reserve(
            (_states, SliceSize(stateCount, hiddenSize) * hiddenSize * sizeof(float)),
            (_outputRows, SizeOf(outputRows)),
            (_activations, SizeOf(destination)));
        Upload(_outputRows, outputRows);
        ProjectSlices(states, hiddenSize, outputRows.Length / hiddenSize, stateCount, 0, cancellationToken);
        Download(_activations, destination);
    }

    /// <inheritdoc/>
    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        problem.Validate(maps, ranges);
        cancellationToken.ThrowIfCancellationRequested();
        if (problem.Maps.IsEmpty)
        {
            return;
        }

        int hiddenSize = problem.HiddenSize;
        int rowCount = problem.OutputRowCount;
        var table = new MapTable(problem, compact: true);
        ReserveMaps(
            problem,
            table,
            SliceSize(table.LargestBlock, hiddenSize) * hiddenSize * sizeof(float),
            SizeOf(problem.OutputRows),
            (long)rowCount * table.ColumnCount * sizeof(float));
        Upload(_outputRows, problem.OutputRows);
        foreach (var (block, firstCell, _, _) in table.Blocks)
        {
            var states = problem.CellStates.Slice(block.FirstCell * hiddenSize, block.CellCount * hiddenSize);
            ProjectSlices(states, hiddenSize, rowCount, table.ColumnCount, firstCell, cancellationToken);
        }

        Refine(problem, table, rowCount, table.ColumnCount, maps, ranges, cancellationToken);
    }

    /// <inheritdoc/>
    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default)
    {
        problem.Validate(activations, cellCount, maps, ranges);
        cancellationToken.ThrowIfCancellationRequested();
        if (problem.Maps.IsEmpty)
        {
            return;
        }

        var table = new MapTable(problem, compact: false);
        ReserveMaps(problem, table, 0, 0, SizeOf(activations));
        Upload(_activations, activations);
        Refine(problem, table, activations.Length / cellCount, cellCount, maps, ranges, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private static long SizeOf<T>(ReadOnlySpan<T> values)
        where T : unmanaged => (long)values.Length * sizeof(T);

    private static int Groups(int count, int perGroup) => (int)(((long)count + perGroup - 1) / perGroup);

    /// <summary>States that go up at a time.</summary>
    private long SliceSize(int stateCount, int hiddenSize) =>
        Math.Min(stateCount, Math.Max(DeviceKernel.Tile, _stateSliceBytes / (sizeof(float) * (long)hiddenSize)));

    private void ReserveMaps(in TamProblem problem, MapTable table, long states, long outputRows, long activations) => _memory.Reserve(
        (_states, states),
        (_outputRows, outputRows),
        (_activations, activations),
        (_weights, problem.EciStrength == 0 ? 0 : SizeOf(problem.Weights)),
        (_entries, SizeOf<MapEntry>(table.Entries)),
        (_members, SizeOf<int>(table.Members)),
        (_starts, SizeOf<int>(table.Starts)),
        (_ranges, (long)problem.RangeCount * sizeof(ValueRange)),
        (_maps, (long)problem.MapValueCount * sizeof(float)),
        (_filtered, problem.KernelSize == 1 ? 0 : (long)problem.MapValueCount * sizeof(float)));

    /// <summary>A of some states, into the columns of the activations from one on. The output rows are on the device.</summary>
    private void ProjectSlices(
        ReadOnlySpan<float> states, int hiddenSize, int rowCount, int columnCount, int firstColumn, CancellationToken cancellationToken)
    {
        int stateCount = states.Length / hiddenSize;
        int sliceSize = (int)SliceSize(stateCount, hiddenSize);
        for (int first = 0; first < stateCount; first += sliceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(sliceSize, stateCount - first);
            Upload(_states, states.Slice(first * hiddenSize, count * hiddenSize));
            _device.Launch(
                DeviceKernel.ProjectRelu,
                Groups(count, DeviceKernel.Tile),
                Groups(rowCount, DeviceKernel.Tile),
                [_outputRows, _states, _activations, rowCount, count, hiddenSize, columnCount, firstColumn + first, 0f]);
        }
    }

    /// <summary>From the activations, which are on the device, to the maps.</summary>
    private void Refine(
        in TamProblem problem,
        MapTable table,
        int rowCount,
        int columnCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken)
    {
        Upload<MapEntry>(_entries, table.Entries);
        if (problem.EciStrength != 0)
        {
            Upload(_weights, problem.Weights);
            foreach (var (block, _, first, count) in table.Blocks)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _device.Launch(
                    DeviceKernel.MixContext,
                    Groups(block.CellCount, DeviceKernel.Tile),
                    Groups(count, DeviceKernel.Tile),
                    [_weights, _activations, _entries, _maps, first, count, rowCount, columnCount]);
            }
        }

        int mapCount = table.Entries.Length;
        int groupsPerMap = Groups(table.LargestBlock, DeviceKernel.GroupThreads);
        _device.Launch(DeviceKernel.SubtractScaled, mapCount, 1, [_activations, _entries, _maps, columnCount, problem.EciStrength]);
        var values = _maps;
        if (!problem.NormalizeBeforeFilter)
        {
            values = Filter(problem, values, mapCount, groupsPerMap);
        }

        Upload<int>(_members, table.Members);
        Upload<int>(_starts, table.Starts);
        Upload<ValueRange>(_ranges, ranges);
        _device.Launch(DeviceKernel.JointMinMax, problem.RangeCount, 1, [values, _entries, _members, _starts, _ranges]);
        _device.Launch(DeviceKernel.NormalizeMaps, mapCount, groupsPerMap, [values, _entries, _ranges]);
        if (problem.NormalizeBeforeFilter)
        {
            values = Filter(problem, values, mapCount, groupsPerMap);
        }

        cancellationToken.ThrowIfCancellationRequested();
        Download(values, maps);
        Download(_ranges, ranges);
    }

    /// <summary>Filters all maps, unless the window is a single cell.</summary>
    /// <returns>Where they are then.</returns>
    private DeviceBuffer Filter(in TamProblem problem, DeviceBuffer maps, int mapCount, int groupsPerMap)
    {
        if (problem.KernelSize == 1)
        {
            return maps;
        }

        int constantIsValue = problem.ConstantWindow == ConstantWindow.Value ? 1 : 0;
        _device.Launch(DeviceKernel.RankFilter(problem.KernelSize), mapCount, groupsPerMap, [maps, _entries, _filtered, constantIsValue]);
        return _filtered;
    }

    private void Upload<T>(DeviceBuffer buffer, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        fixed (T* start = values)
        {
            _device.Upload(buffer.Memory, start, SizeOf(values));
        }
    }

    private void Download<T>(DeviceBuffer buffer, Span<T> values)
        where T : unmanaged
    {
        fixed (T* start = values)
        {
            _device.Download(buffer.Memory, start, SizeOf<T>(values));
        }
    }
}
