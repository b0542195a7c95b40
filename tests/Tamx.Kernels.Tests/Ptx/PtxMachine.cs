using System.Runtime.InteropServices;

namespace Tamx.Kernels.Tests.Ptx;

/// <summary>
/// Executes kernels: one group after another, all threads of a group in lock step, those at the lowest instruction
/// first. Accesses must be aligned and in bounds. What one thread writes to shared memory, no other may read or write
/// before a barrier. In global memory, which the kernels' barriers do not order, no other may in the same launch.
/// Shared memory is undefined at first.
/// </summary>
internal sealed class PtxMachine
{
    /// <summary>Where addresses of shared memory start.</summary>
    public const ulong SharedStart = 1ul << 40;

    private const int Nobody = -1;
    private const int Many = -2;

    private const int Words = 1 << 20;

    private readonly uint[] _memory = new uint[Words];
    private readonly bool[] _isAllocated = new bool[Words];
    private readonly Access[] _accesses = new Access[Words];
    private int _top = 64;
    private int _launch;

    /// <summary>
    /// Instructions executed so far, counting the longest thread of each group. Counting all threads' steps in lock
    /// step would depend on the order of basic blocks, which ILGPU changes with the kernels it has translated before.
    /// </summary>
    public long StepCount { get; private set; }

    public nint Allocate(long bytes)
    {
        var words = (int)((bytes + 3) / 4);
        var start = _top;
        _top += (words + 127) / 64 * 64;
        Assert.True(_top <= _memory.Length, "the machine's memory is full");
        _isAllocated.AsSpan(start, words).Fill(true);
        return start * sizeof(uint);
    }

    public void Free(nint memory)
    {
        for (var i = (int)memory / sizeof(uint); _isAllocated[i]; i++)
        {
            _isAllocated[i] = false;
        }
    }

    public Span<byte> Bytes(nint memory) => MemoryMarshal.AsBytes(_memory.AsSpan((int)memory / sizeof(uint)));

    /// <summary>Runs a kernel.</summary>
    public void Launch(PtxKernel kernel, (int X, int Y) groups, (int X, int Y) threads, byte[] parameters)
    {
        _launch++;
        for (var y = 0; y < groups.Y; y++)
        {
            for (var x = 0; x < groups.X; x++)
            {
                RunGroup(kernel, (x, y), groups, threads, parameters);
            }
        }
    }

    private static ulong[][] Registers(
        PtxKernel kernel,
        (int X, int Y) group,
        (int X, int Y) groups,
        (int X, int Y) threads
    )
    {
        var count = threads.X * threads.Y;
        return
        [
            .. kernel.RegisterNames.Select(name =>
            {
                var values = new ulong[count];
                for (var t = 0; t < count; t++)
                {
                    values[t] = name switch
                    {
                        "%tid.x" => (ulong)(t % threads.X),
                        "%tid.y" => (ulong)(t / threads.X),
                        "%ntid.x" => (ulong)threads.X,
                        "%ntid.y" => (ulong)threads.Y,
                        "%ctaid.x" => (ulong)group.X,
                        "%ctaid.y" => (ulong)group.Y,
                        "%nctaid.x" => (ulong)groups.X,
                        "%nctaid.y" => (ulong)groups.Y,
                        ['%', ..] => 0,
                        _ => kernel.Constant(name),
                    };
                }

                return values;
            }),
        ];
    }

    private void RunGroup(
        PtxKernel kernel,
        (int X, int Y) group,
        (int X, int Y) groups,
        (int X, int Y) threads,
        byte[] parameters
    )
    {
        var count = threads.X * threads.Y;
        var registers = Registers(kernel, group, groups, threads);
        var shared = new uint[kernel.SharedBytes / sizeof(uint)];
        var sharedAccesses = new Access[shared.Length];
        var places = new int[count];
        var steps = new long[count];
        var running = Enumerable.Range(0, count).ToList();
        var waiting = new List<int>();
        var active = new int[count];
        var firstThread = (group.Y * groups.X + group.X) * count;
        var epoch = 1;
        while (running.Count > 0 || waiting.Count > 0)
        {
            if (running.Count == 0)
            {
                // All threads are at the barrier, and at the same one.
                Assert.True(
                    waiting.Count == count && waiting.TrueForAll(t => places[t] == places[0]),
                    "threads wait at a barrier that others do not come to"
                );
                (running, waiting) = (waiting, running);
                epoch++;
            }

            var place = int.MaxValue;
            foreach (var t in running)
            {
                place = Math.Min(place, places[t]);
            }

            var activeCount = 0;
            foreach (var t in running)
            {
                if (places[t] == place)
                {
                    places[t] = place + 1;
                    steps[t]++;
                    active[activeCount++] = t;
                }
            }

            var instruction = kernel.Code[place];
            var now = active.AsSpan(0, activeCount);
            if (instruction.Guard >= 0)
            {
                var kept = 0;
                foreach (var t in now)
                {
                    if (registers[instruction.Guard][t] == instruction.GuardValue)
                    {
                        now[kept++] = t;
                    }
                }

                now = now[..kept];
            }

            switch (instruction.Kind)
            {
                case PtxKind.Compute:
                    var (a, b, c) = (registers[instruction.A], registers[instruction.B], registers[instruction.C]);
                    var result = registers[instruction.Values[0]];
                    var function = instruction.Function;
                    foreach (var t in now)
                    {
                        result[t] = function(a[t], b[t], c[t]);
                    }

                    break;
                case PtxKind.Parameter:
                    var value =
                        instruction.Size == 8
                            ? BitConverter.ToUInt64(parameters, instruction.Offset)
                            : BitConverter.ToUInt32(parameters, instruction.Offset);
                    foreach (var t in now)
                    {
                        registers[instruction.Values[0]][t] = value;
                    }

                    break;
                case PtxKind.Load or PtxKind.Store:
                    foreach (var t in now)
                    {
                        var address = registers[instruction.A][t] + (ulong)(long)instruction.Offset;
                        if (instruction.IsShared)
                        {
                            address -= SharedStart;
                            Transfer(instruction, registers, t, t, address, shared, null, sharedAccesses, epoch);
                        }
                        else
                        {
                            var thread = firstThread + t;
                            Transfer(
                                instruction,
                                registers,
                                t,
                                thread,
                                address,
                                _memory,
                                _isAllocated,
                                _accesses,
                                _launch
                            );
                        }
                    }

                    break;
                case PtxKind.Branch:
                    foreach (var t in now)
                    {
                        places[t] = instruction.Target;
                    }

                    break;
                case PtxKind.Barrier:
                    waiting.AddRange(now);
                    running.RemoveAll(t => places[t] == place + 1);
                    break;
                default:
                    foreach (var t in now)
                    {
                        running.Remove(t);
                    }

                    break;
            }
        }

        StepCount += steps.Max();
    }

    /// <summary>Loads or stores one thread's values.</summary>
    private static void Transfer(
        PtxInstruction instruction,
        ulong[][] registers,
        int lane,
        int thread,
        ulong address,
        uint[] memory,
        bool[]? isAllocated,
        Access[] accesses,
        int epoch
    )
    {
        var loads = instruction.Kind == PtxKind.Load;
        Check(address % (ulong)(instruction.Size * instruction.Values.Length) == 0, "is not aligned");
        Check(instruction.Size == sizeof(uint), "is of a kind that the machine lacks");
        for (var i = 0; i < instruction.Values.Length; i++)
        {
            var word = address / sizeof(uint) + (ulong)i;
            Check(word < (ulong)memory.Length && isAllocated?[word] != false, "is out of bounds");
            ref var access = ref accesses[word];
            if (access.Epoch != epoch)
            {
                // In shared memory, values from before the last barrier may be read by all.
                access = access with
                {
                    Epoch = epoch,
                    Writer = Nobody,
                    Reader = Nobody,
                };
            }

            if (loads)
            {
                Check(isAllocated is not null || access.IsWritten, "reads what nobody has written");
                Check(access.Writer == Nobody || access.Writer == thread, "reads what another thread has just written");
                access.Reader = access.Reader == Nobody || access.Reader == thread ? thread : Many;
                registers[instruction.Values[i]][lane] = memory[word];
            }
            else
            {
                Check(
                    access.Writer == Nobody || access.Writer == thread,
                    "writes where another thread has just written"
                );
                Check(access.Reader == Nobody || access.Reader == thread, "writes where another thread has just read");
                (access.Writer, access.IsWritten) = (thread, true);
                memory[word] = (uint)registers[instruction.Values[i]][lane];
            }
        }

        void Check(bool condition, string fault)
        {
            if (!condition)
            {
                Assert.Fail($"'{instruction.Text}' {fault}");
            }
        }
    }

    /// <summary>Who has used a word since the last barrier, or in this launch.</summary>
    private record struct Access(int Epoch, int Writer, int Reader, bool IsWritten);
}
