namespace Tamx.Kernels.Cpu;

/// <summary>
/// A sorting network for k x k windows, two neighbours at a time: a list of compare-exchanges on slots. A slot holds
/// one value for each of many windows, one per lane, so that one operation serves all of them.
/// </summary>
/// <remarks>
/// Windows at columns 2j and 2j + 1 share k - 1 columns, their core. Each column is sorted once. Columns 2j + 1 and
/// 2j + 2 are merged once, for every window pair they lie in. The core is merged from those. Each of the two windows
/// then merges its own outer column. For k = 5 that is 79 operations per window; sorting it alone takes 130. Merges are
/// Batcher's odd-even merges (Knuth, TAOCP 3, 5.3.4).
/// </remarks>
internal sealed class SortingNetwork
{
    private readonly List<Operation> _operations = [];
    private int _valueCount;

    /// <summary>Builds the network.</summary>
    /// <param name="kernelSize">k, odd, at least 3.</param>
    /// <param name="slotStride">Floats from one slot to the next.</param>
    public SortingNetwork(int kernelSize, int slotStride)
    {
        var reach = kernelSize / 2;
        var even = Inputs(kernelSize);
        var odd = Inputs(kernelSize);
        var evenColumn = Sort(even);
        var oddColumn = Sort(odd);
        var pair = Merge(oddColumn, Shift(evenColumn, 1));
        var pairs = reach == 4 ? Merge(pair, Shift(pair, 1)) : pair;
        var sharedCount = _operations.Count;
        var core = reach switch
        {
            1 => pair,
            2 => Merge(pair, Shift(pair, 1)),
            3 => Merge(Merge(pair, Shift(pair, 1)), Shift(pair, 2)),
            _ => Merge(pairs, Shift(pairs, 2)),
        };
        var evenWindow = Merge(core, evenColumn);
        var evenCount = _operations.Count;
        var oddWindow = Merge(core, Shift(oddColumn, reach));

        var offsets = AssignSlots(even.Length + odd.Length, evenWindow, evenCount, oddWindow, slotStride);
        EvenInputs = Offsets(even);
        OddInputs = Offsets(odd);
        EvenWindow = new SortedWindow(Offsets(evenWindow));
        OddWindow = new SortedWindow(Offsets(oddWindow));
        Shared = Encode(_operations[..sharedCount]);
        Even = Encode(_operations[sharedCount..evenCount]);
        Odd = Encode(_operations[evenCount..]);

        int[] Offsets(Lane[] lanes) => Array.ConvertAll(lanes, OffsetOf);

        CompareExchange[] Encode(List<Operation> operations) =>
            [
                .. operations.Select(o => new CompareExchange(
                    OffsetOf(o.A),
                    OffsetOf(o.B),
                    offsets[o.Low],
                    offsets[o.High]
                )),
            ];

        int OffsetOf(Lane lane) => offsets[lane.Value] + lane.Shift;
    }

    /// <summary>Input offsets of the k values of column 2j, row by row.</summary>
    public int[] EvenInputs { get; }

    /// <summary>Input offsets of the k values of column 2j + 1, row by row.</summary>
    public int[] OddInputs { get; }

    /// <summary>Operations on columns and pairs of columns, for k / 2 more lanes than there are window pairs.</summary>
    public CompareExchange[] Shared { get; }

    /// <summary>Operations that then sort the windows at even columns.</summary>
    public CompareExchange[] Even { get; }

    /// <summary>Operations that then sort the windows at odd columns.</summary>
    public CompareExchange[] Odd { get; }

    /// <summary>Where the windows at even columns are once <see cref="Even"/> has run.</summary>
    public SortedWindow EvenWindow { get; }

    /// <summary>Where the windows at odd columns are once <see cref="Odd"/> has run.</summary>
    public SortedWindow OddWindow { get; }

    /// <summary>Slots in use.</summary>
    public int SlotCount { get; private set; }

    private static Lane[] Shift(Lane[] lanes, int by) =>
        Array.ConvertAll(lanes, lane => lane with { Shift = lane.Shift + by });

    private Lane[] Inputs(int count) => [.. Enumerable.Range(0, count).Select(_ => new Lane(_valueCount++, 0))];

    private Lane[] Sort(Lane[] lanes)
    {
        var half = lanes.Length / 2;
        return half == 0 ? lanes : Merge(Sort(lanes[..half]), Sort(lanes[half..]));
    }

    private Lane[] Merge(Lane[] a, Lane[] b)
    {
        if (a.Length == 0 || b.Length == 0)
        {
            return [.. a, .. b];
        }

        if (a.Length == 1 && b.Length == 1)
        {
            var (low, high) = Compare(a[0], b[0]);
            return [low, high];
        }

        var first = Merge(EverySecond(a, 0), EverySecond(b, 0));
        var second = Merge(EverySecond(a, 1), EverySecond(b, 1));
        var merged = new List<Lane> { first[0] };
        for (var i = 0; i < second.Length || i + 1 < first.Length; i++)
        {
            if (i < second.Length && i + 1 < first.Length)
            {
                var (low, high) = Compare(second[i], first[i + 1]);
                merged.AddRange([low, high]);
            }
            else
            {
                merged.Add(i < second.Length ? second[i] : first[i + 1]);
            }
        }

        return [.. merged];
    }

    private static Lane[] EverySecond(Lane[] lanes, int from) => [.. lanes.Where((_, index) => index % 2 == from)];

    private (Lane Low, Lane High) Compare(Lane a, Lane b)
    {
        var operation = new Operation(a, b, _valueCount++, _valueCount++);
        _operations.Add(operation);
        return (new Lane(operation.Low, 0), new Lane(operation.High, 0));
    }

    /// <summary>Assigns a slot to each value. A slot is used again after the last read of its value.</summary>
    private int[] AssignSlots(int inputCount, Lane[] evenWindow, int evenCount, Lane[] oddWindow, int slotStride)
    {
        var lastUse = new int[_valueCount];
        for (var i = 0; i < _operations.Count; i++)
        {
            lastUse[_operations[i].A.Value] = lastUse[_operations[i].B.Value] = i;
        }

        // Windows at even columns are read after evenCount operations, those at odd columns after the last.
        foreach (var lane in evenWindow)
        {
            lastUse[lane.Value] = Math.Max(lastUse[lane.Value], evenCount);
        }

        foreach (var lane in oddWindow)
        {
            lastUse[lane.Value] = _operations.Count;
        }

        var offsets = new int[_valueCount];
        var free = new Stack<int>();
        for (var i = 0; i < inputCount; i++)
        {
            offsets[i] = slotStride * SlotCount++;
        }

        var busy = Enumerable.Range(0, inputCount).ToHashSet();
        for (var i = 0; i < _operations.Count; i++)
        {
            // An operation may write to a slot that it reads last. Lanes are read before they are written, and shifted
            // reads are of later lanes.
            foreach (var value in busy.Where(value => lastUse[value] <= i).ToList())
            {
                busy.Remove(value);
                free.Push(offsets[value]);
            }

            foreach (var value in (ReadOnlySpan<int>)[_operations[i].Low, _operations[i].High])
            {
                offsets[value] = free.Count > 0 ? free.Pop() : slotStride * SlotCount++;
                busy.Add(value);
            }
        }

        return offsets;
    }

    /// <summary>A shifted value: its lane i is lane i + shift of the value.</summary>
    private readonly record struct Lane(int Value, int Shift);

    private readonly record struct Operation(Lane A, Lane B, int Low, int High);
}

/// <summary>One operation of a <see cref="SortingNetwork"/>.</summary>
/// <param name="A">Offset of a value.</param>
/// <param name="B">Offset of another value.</param>
/// <param name="Low">Where the smaller goes.</param>
/// <param name="High">Where the larger goes.</param>
internal readonly record struct CompareExchange(int A, int B, int Low, int High);

/// <summary>The offsets of a sorted window's values.</summary>
internal sealed class SortedWindow
{
    /// <summary>Takes the offsets of the values, ascending [k * k].</summary>
    public SortedWindow(int[] ranks)
    {
        var centre = ranks.Length / 2;
        Centre = ranks[centre];
        Pairs = [.. Enumerable.Range(1, centre).Select(n => (ranks[centre - n], ranks[centre + n]))];
    }

    /// <summary>Offset of the median.</summary>
    public int Centre { get; }

    /// <summary>Offsets of the ranks at distance 1, 2, ... from the median.</summary>
    public (int Low, int High)[] Pairs { get; }
}
