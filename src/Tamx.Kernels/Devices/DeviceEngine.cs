using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices;

/// <summary>The engine on a device, in float32, with the kernels of <see cref="DeviceKernel.All"/>.</summary>
/// <remarks>
/// <para>
/// States and output rows are uploaded once, the states in slices of bounded size. The maps are downloaded. Activations
/// and interference never leave the device. Memory on the device is reused between calls.
/// </para>
/// <para>
/// Sums run in a fixed order, and no two threads add to the same sum. So a device gives the same bits every time.
/// Results stay within 5e-6 of <see cref="ReferenceEngine"/>, as a share of the range that is normalised or of the
/// largest activation, whichever is larger.
/// </para>
/// </remarks>
internal sealed unsafe partial class DeviceEngine : ITamEngine
{
    /// <summary>A product with so many tiles per compute unit or more is not split.</summary>
    private const int TilesPerComputeUnit = 2;

    /// <summary>Most bytes of the parts of a product that is split.</summary>
    private const long MaxPartsSize = 64 << 20;

    private readonly IKernelDevice _device;
    private readonly long _stateSliceBytes;
    private readonly DeviceMemory _memory;
    private readonly DeviceBuffer _states = new();
    private readonly DeviceBuffer _outputRows = new();
    private readonly DeviceBuffer _activations = new();
    private readonly DeviceBuffer _weights = new();
    private readonly DeviceBuffer _parts = new();
    private readonly DeviceBuffer _tables = new();
    private readonly DeviceBuffer _extremes = new();
    private readonly DeviceBuffer _maps = new();
    private readonly DeviceBuffer _filtered = new();

    /// <summary>Creates the engine.</summary>
    /// <param name="device">The device. The engine disposes of it.</param>
    /// <param name="maxBytes">Most bytes to take on the device; 0 sets no limit.</param>
    /// <param name="stateSliceBytes">Bytes of a slice of states. A slice has at least 64 states.</param>
    public DeviceEngine(IKernelDevice device, long maxBytes, long stateSliceBytes = 16 << 20)
    {
        _device = device;
        _stateSliceBytes = stateSliceBytes;
        _memory = new DeviceMemory(device, maxBytes);
    }

    public EngineKind Kind => _device.Info.Kind;

    public string Name => $"{Kind}, {_device.Info.Name}: {_device.Info.Description}";

    public long MaxWorkingBytes { get; init; } = EngineOptions.DefaultWorkingBytes;

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    )
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        cancellationToken.ThrowIfCancellationRequested();
        if (destination.IsEmpty)
        {
            return;
        }

        var stateCount = states.Length / hiddenSize;
        var rowCount = outputRows.Length / hiddenSize;
        _memory.Reserve(
            (_states, SliceSize(stateCount, hiddenSize) * hiddenSize * sizeof(float)),
            (_outputRows, SizeOf(outputRows)),
            (_parts, PartsSize(rowCount, SliceSize(stateCount, hiddenSize), hiddenSize)),
            (_activations, SizeOf(destination))
        );
        Upload(_outputRows, outputRows);
        ProjectSlices(states, hiddenSize, rowCount, stateCount, 0, cancellationToken);
        Download(_activations, destination);
    }

    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(maps, ranges);
        cancellationToken.ThrowIfCancellationRequested();
        if (problem.Maps.IsEmpty)
        {
            return;
        }

        var hiddenSize = problem.HiddenSize;
        var rowCount = problem.OutputRowCount;
        var table = new MapTable(problem, compact: true);
        ReserveMaps(
            problem,
            table,
            SliceSize(table.LargestBlock, hiddenSize) * hiddenSize * sizeof(float),
            SizeOf(problem.OutputRows),
            LargestParts(table, rowCount, hiddenSize),
            (long)rowCount * table.ColumnCount * sizeof(float)
        );
        Upload(_outputRows, problem.OutputRows);
        foreach (var (block, firstCell, _, _) in table.Blocks)
        {
            var states = problem.CellStates.Slice(block.FirstCell * hiddenSize, block.CellCount * hiddenSize);
            ProjectSlices(states, hiddenSize, rowCount, table.ColumnCount, firstCell, cancellationToken);
        }

        Refine(problem, table, rowCount, table.ColumnCount, maps, ranges, cancellationToken);
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(activations, cellCount, maps, ranges);
        cancellationToken.ThrowIfCancellationRequested();
        if (problem.Maps.IsEmpty)
        {
            return;
        }

        var table = new MapTable(problem, compact: false);
        ReserveMaps(problem, table, 0, 0, 0, SizeOf(activations));
        Upload(_activations, activations);
        Refine(problem, table, activations.Length / cellCount, cellCount, maps, ranges, cancellationToken);
    }

    public void Dispose() => _device.Dispose();

    private static long SizeOf<T>(ReadOnlySpan<T> values)
        where T : unmanaged => (long)values.Length * sizeof(T);

    private static int Groups(int count, int perGroup) => (int)(((long)count + perGroup - 1) / perGroup);

    /// <summary>States of a slice.</summary>
    private long SliceSize(int stateCount, int hiddenSize) =>
        Math.Min(stateCount, Math.Max(DeviceKernel.Tile, _stateSliceBytes / (sizeof(float) * (long)hiddenSize)));

    /// <summary>Groups of the rank filter per map. Each finds the extremes of its part.</summary>
    private static int PartsPerMap(MapTable table) => Groups(table.LargestPairs, DeviceKernel.GroupThreads);

    /// <summary>Tiles of a product. Each is computed by a group.</summary>
    private static long TileCount(int rowCount, long stateCount) =>
        Groups(rowCount, DeviceKernel.Tile) * ((stateCount + DeviceKernel.Tile - 1) / DeviceKernel.Tile);

    /// <summary>Bytes of a product's parts; 0 where it is not split, with enough tiles or a short sum.</summary>
    private long PartsSize(int rowCount, long stateCount, int hiddenSize)
    {
        var chunkCount = Groups(hiddenSize, DeviceKernel.Chunk);
        var size = (long)chunkCount * rowCount * stateCount * sizeof(float);
        var enough = TilesPerComputeUnit * (long)_device.ComputeUnitCount;
        return chunkCount == 1 || size > MaxPartsSize || TileCount(rowCount, stateCount) >= enough ? 0 : size;
    }

    /// <summary>Bytes for the parts of every product. A small one may be split where a large one is not.</summary>
    private long LargestParts(MapTable table, int rowCount, int hiddenSize)
    {
        var largest = 0L;
        foreach (var one in table.Blocks)
        {
            var sliceSize = (int)SliceSize(one.Block.CellCount, hiddenSize);
            var lastSize = one.Block.CellCount % sliceSize;
            largest = Math.Max(largest, PartsSize(rowCount, sliceSize, hiddenSize));
            largest = Math.Max(largest, PartsSize(rowCount, lastSize, hiddenSize));
        }

        return largest;
    }

    private void ReserveMaps(
        in TamProblem problem,
        MapTable table,
        long states,
        long outputRows,
        long parts,
        long activations
    )
    {
        var mapBytes = (long)problem.MapValueCount * sizeof(float);
        _memory.Reserve(
            (_states, states),
            (_outputRows, outputRows),
            (_parts, parts),
            (_activations, activations),
            (_weights, problem.EciStrength == 0 ? 0 : SizeOf(problem.Weights)),
            (_tables, table.Bytes.Length),
            (_extremes, (long)table.Entries.Length * PartsPerMap(table) * sizeof(ValueRange)),
            (_maps, mapBytes),
            (_filtered, problem.KernelSize == 1 ? 0 : mapBytes)
        );
    }

    /// <summary>A of some states, from a column of the activations on. The output rows are on the device.</summary>
    private void ProjectSlices(
        ReadOnlySpan<float> states,
        int hiddenSize,
        int rowCount,
        int columnCount,
        int firstColumn,
        CancellationToken cancellationToken
    )
    {
        var stateCount = states.Length / hiddenSize;
        var sliceSize = (int)SliceSize(stateCount, hiddenSize);
        for (var first = 0; first < stateCount; first += sliceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(sliceSize, stateCount - first);
            Upload(_states, states.Slice(first * hiddenSize, count * hiddenSize));
            Multiply(_outputRows, _states, rowCount, count, hiddenSize, columnCount, firstColumn + first, 0);
        }
    }

    /// <summary>The product of rows and columns, no less than a minimum, into columns of the activations.</summary>
    private void Multiply(
        DeviceBuffer rows,
        DeviceBuffer columns,
        int rowCount,
        int count,
        int hiddenSize,
        int stride,
        int firstColumn,
        float least
    )
    {
        var groupsX = Groups(count, DeviceKernel.Tile);
        var rowTiles = Groups(rowCount, DeviceKernel.Tile);
        var chunkCount = Groups(hiddenSize, DeviceKernel.Chunk);
        if (PartsSize(rowCount, count, hiddenSize) == 0)
        {
            _device.Launch(
                DeviceKernel.Product,
                groupsX,
                rowTiles,
                [
                    rows,
                    columns,
                    _activations,
                    rowCount,
                    count,
                    hiddenSize,
                    stride,
                    firstColumn,
                    rowTiles,
                    chunkCount,
                    least,
                ]
            );
            return;
        }

        _device.Launch(
            DeviceKernel.Product,
            groupsX,
            rowTiles * chunkCount,
            [rows, columns, _parts, rowCount, count, hiddenSize, count, 0, rowTiles, 1, float.NegativeInfinity]
        );
        _device.Launch(
            DeviceKernel.JoinParts,
            rowCount,
            Groups(count, DeviceKernel.GroupThreads),
            [_parts, _activations, chunkCount, rowCount, count, stride, firstColumn, least]
        );
    }

    /// <summary>Computes the maps from the activations on the device.</summary>
    private void Refine(
        in TamProblem problem,
        MapTable table,
        int rowCount,
        int columnCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken
    )
    {
        MemoryMarshal.AsBytes<ValueRange>(ranges).CopyTo(table.Bytes);
        Upload<byte>(_tables, table.Bytes);
        var entries = KernelArgument.From<MapEntry>(_tables.Memory, table.EntriesStart);
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
                    [_weights, _activations, entries, _maps, first, count, rowCount, columnCount]
                );
            }
        }

        var mapCount = table.Entries.Length;
        _device.Launch(
            DeviceKernel.SubtractScaled,
            mapCount,
            1,
            [_activations, entries, _maps, _extremes, columnCount, problem.EciStrength]
        );
        var values = _maps;
        var partCount = 1;
        if (!problem.NormalizeBeforeFilter)
        {
            values = Filter(problem, table, values, entries, ref partCount);
        }

        var members = KernelArgument.From<int>(_tables.Memory, table.MembersStart);
        var starts = KernelArgument.From<int>(_tables.Memory, table.StartsStart);
        _device.Launch(
            DeviceKernel.JointMinMax,
            problem.RangeCount,
            1,
            [_extremes, members, starts, _tables, partCount]
        );
        _device.Launch(
            DeviceKernel.NormalizeMaps,
            mapCount,
            Groups(table.LargestBlock, DeviceKernel.GroupThreads),
            [values, entries, _tables]
        );
        if (problem.NormalizeBeforeFilter)
        {
            values = Filter(problem, table, values, entries, ref partCount);
        }

        cancellationToken.ThrowIfCancellationRequested();
        Download(values, maps);
        Download(_tables, ranges);
    }

    /// <summary>Filters all maps, unless the window is a cell. Sets the number of parts of the extremes.</summary>
    /// <returns>The buffer that then holds the maps.</returns>
    private DeviceBuffer Filter(
        in TamProblem problem,
        MapTable table,
        DeviceBuffer maps,
        KernelArgument entries,
        ref int partCount
    )
    {
        if (problem.KernelSize == 1)
        {
            return maps;
        }

        partCount = PartsPerMap(table);
        var constantIsValue = problem.ConstantWindow == ConstantWindow.Value ? 1 : 0;
        _device.Launch(
            DeviceKernel.RankFilter(problem.KernelSize),
            table.Entries.Length,
            partCount,
            [maps, entries, _filtered, _extremes, constantIsValue]
        );
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
