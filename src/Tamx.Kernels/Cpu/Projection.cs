using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>A = relu(W H^T) or W H^T, one panel of states at a time. W is packed once for all panels.</summary>
/// <remarks>
/// Vectors run over the output rows. So only W [T, D], which is small and used for every state, has to be transposed,
/// and the states [P, D] are read where they lie. W is cut into strips of two vectors [strip, D, lanes]; the last strip
/// may have one. Where states are few and output rows many, the caller swaps the two.
/// </remarks>
internal sealed unsafe class Projection<TSimd, TVector> : IDisposable
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    /// <summary>States of a panel. It makes whole tiles, and whole strips of two vectors of any width.</summary>
    public const int PanelSize = 96;

    private readonly FloatBuffer _packed = new();
    private int _rowCount;
    private int _hiddenSize;

    /// <summary>Lanes of the packed rows, rounded up to whole vectors.</summary>
    private int LaneCount => (_rowCount + TSimd.Count - 1) / TSimd.Count * TSimd.Count;

    /// <summary>Floats of scratch memory that <see cref="ProjectPanel"/> needs.</summary>
    public long ScratchSize => (long)PanelSize * LaneCount + (long)TileProduct<TSimd, TVector>.RowCount * _hiddenSize;

    /// <summary>Packs output rows [T, D].</summary>
    public void Pack(float* rows, int rowCount, int hiddenSize, Workers workers, CancellationToken cancellationToken)
    {
        _rowCount = rowCount;
        _hiddenSize = hiddenSize;
        var packed = _packed.Reserve((long)LaneCount * hiddenSize);
        var stripWidth = 2 * TSimd.Count;
        workers.Run(
            (LaneCount + stripWidth - 1) / stripWidth,
            (_, strip) =>
            {
                var first = strip * stripWidth;
                var width = Math.Min(stripWidth, LaneCount - first);
                PackStrip(
                    rows + (long)first * hiddenSize,
                    Math.Min(width, rowCount - first),
                    width,
                    hiddenSize,
                    packed + (long)first * hiddenSize
                );
            },
            cancellationToken
        );
    }

    /// <summary>The activations of a panel.</summary>
    /// <param name="states">The panel's states [count, D].</param>
    /// <param name="count">States, 1 to <see cref="PanelSize"/>.</param>
    /// <param name="scratch"><see cref="ScratchSize"/> floats.</param>
    /// <param name="rectifies">Whether to apply relu.</param>
    /// <param name="activations">
    /// Receives [T, <see cref="PanelSize"/>]. Columns from <paramref name="count"/> on are undefined.
    /// </param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ProjectPanel(float* states, int count, float* scratch, bool rectifies, float* activations)
    {
        const int TileRows = TileProduct<TSimd, TVector>.RowCount;
        var laneCount = LaneCount;
        var stripWidth = 2 * TSimd.Count;
        var packed = _packed.Start;
        var lastRows = scratch + (long)PanelSize * laneCount;
        for (var first = 0; first < count; first += TileRows)
        {
            var rows = states + (long)first * _hiddenSize;
            if (count - first < TileRows)
            {
                // A last tile that is not full is copied first, since memory may end behind its rows.
                var whole = new Span<float>(lastRows, TileRows * _hiddenSize);
                new ReadOnlySpan<float>(rows, (count - first) * _hiddenSize).CopyTo(whole);
                whole[((count - first) * _hiddenSize)..].Clear();
                rows = lastRows;
            }

            for (var lane = 0; lane < laneCount; lane += stripWidth)
            {
                var width = Math.Min(stripWidth, laneCount - lane);
                var strip = packed + (long)lane * _hiddenSize;
                TileProduct<TSimd, TVector>.Multiply(
                    rows,
                    _hiddenSize,
                    strip,
                    width,
                    width,
                    _hiddenSize,
                    scratch + (long)first * laneCount + lane,
                    laneCount
                );
            }
        }

        for (var t = 0; t < _rowCount; t++)
        {
            var activation = activations + (long)t * PanelSize;
            for (var p = 0; p < count; p++)
            {
                activation[p] = scratch[(long)p * laneCount + t];
            }

            for (var p = 0; rectifies && p < PanelSize; p += TSimd.Count)
            {
                TSimd.Store(TSimd.Max(default, TSimd.Load(activation + p)), activation + p);
            }
        }
    }

    public void Dispose() => _packed.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackStrip(float* rows, int rowCount, int width, int hiddenSize, float* strip)
    {
        for (nint d = 0; d < hiddenSize; d++)
        {
            for (nint lane = 0; lane < width; lane++)
            {
                strip[lane] = lane < rowCount ? rows[lane * hiddenSize + d] : 0;
            }

            strip += width;
        }
    }
}
