namespace Tamx.Kernels.Cpu;

/// <summary>
/// How to sort k x k windows, two neighbours at a time, as a list of compare-exchanges on slots: a slot holds one value for each of many
/// windows, lane by lane, so that one operation serves them all.
/// </summary>
/// <remarks>
/// Windows at columns 2j and 2j + 1 share k - 1 columns. Each column is sorted once; columns 2j + 1 and 2j + 2 are merged once, and serve every
/// window pair they lie in; the pair's shared core is merged from those; each of its two windows then merges its own outer column. For
/// k = 5 that is 79 operations per window where sorting it alone takes 130. Merges are Batcher's odd-even merges (Knuth, TAOCP 3, 5.3.4).
/// </remarks>
internal sealed class SortingProgram
{
    private readonly List<Operation> _operations = [];
    private int _valueCount;

    /// <summary>Builds the program.</summary>
    /// <param name="kernelSize">k, odd, at least 3.</param>
    /// <param name="slotStride">Floats from one slot to the next.</param>
    public SortingProgram(int kernelSize, int slotStride)
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
            [.. operations.Select(o => new CompareExchange(OffsetOf(o.A), OffsetOf(o.B), offsets[o.Low], offsets[o.High]))];

        int OffsetOf(Lane lane) => offsets[lane.Value] + lane.Shift;
    }

    /// <summary>Offsets at which the k values of column 2j are put in, row by row.</summary>
    public int[] EvenInputs { get; }

    /// <summary>Offsets at which the k values of column 2j + 1 are put in, row by row.</summary>
    public int[] OddInputs { get; }

    /// <summary>Operations for columns and their pairs. Needed for k / 2 more lanes than there are window pairs.</summary>
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

    private static Lane[] Shift(Lane[] lanes, int by) => Array.ConvertAll(lanes, lane => lane with { Shift = lane.Shift + by });

    private Lane[] Inputs(int count) => [.. Enumerable.Range(0, count).Select(_ => new Lane(_valueCount++, 0))];

    private Lane[] Sort(Lane[] lanes) => lanes.Length <= 1 ? lanes : Merge(Sort(lanes[..(lanes.Length / 2)]), Sort(lanes[(lanes.Length / 2)..]));

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

    /// <summary>Gives every value a slot, anew once nobody needs what it held.</summary>
    private int[] AssignSlots(int inputCount, Lane[] evenWindow, int evenCount, Lane[] oddWindow, int slotStride)
    {
        var lastUse = new int[_valueCount];
        for (var i = 0; i < _operations.Count; i++)
        {
            lastUse[_operations[i].A.Value] = lastUse[_operations[i].B.Value] = i;
        }

        // The windows at even columns are read when the first evenCount operations have run, the others after the last.
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
            // A slot whose last reader is this operation may take its result: lanes are read before they are written, and shifts look ahead.
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

    /// <summary>A value at another lane: lane i of it is lane i + shift of the value.</summary>
    private readonly record struct Lane(int Value, int Shift);

    private readonly record struct Operation(Lane A, Lane B, int Low, int High);
}

/// <summary>One operation of a <see cref="SortingProgram"/>: offsets of two values, of where the smaller goes, and of where the larger goes.</summary>
internal readonly record struct CompareExchange(int A, int B, int Low, int High);

/// <summary>Where the values of a sorted window are.</summary>
internal sealed class SortedWindow
{
    /// <summary>Takes the offsets of the values, ascending [k * k].</summary>
    public SortedWindow(int[] ranks)
    {
        Centre = ranks[ranks.Length / 2];
        Pairs = [.. Enumerable.Range(1, ranks.Length / 2).Select(n => (ranks[ranks.Length / 2 - n], ranks[ranks.Length / 2 + n]))];
    }

    /// <summary>Offset of the median.</summary>
    public int Centre { get; }

    /// <summary>Offsets of the ranks at distance 1, 2, ... from the median.</summary>
    public (int Low, int High)[] Pairs { get; }
}
