namespace Tamx;

/// <summary>Where in a picture or a video a token came from: one value per cell.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed class ActivationMap
{
    /// <summary>Creates a map.</summary>
    /// <param name="grid">The grid of cells: frames (temporal patches; 1 for a picture), rows, columns.</param>
    /// <param name="values">One value in [0, 1] per cell, row-major, frames one after another.</param>
    /// <exception cref="ArgumentException">The number of values is not the number of cells.</exception>
    public ActivationMap(PatchGrid grid, ReadOnlyMemory<float> values)
    {
        if (values.Length != grid.CellCount)
        {
            throw new ArgumentException($"{values.Length} values for {grid} cells", nameof(values));
        }

        Grid = grid;
        Values = values;
    }

    /// <summary>The grid of cells.</summary>
    public PatchGrid Grid { get; }

    /// <summary>One value in [0, 1] per cell, row-major, frames one after another.</summary>
    public ReadOnlyMemory<float> Values { get; }

    /// <summary>The cell with the largest value; the first one if several are equal.</summary>
    public MapPeak Peak
    {
        get
        {
            var values = Values.Span;
            var best = 0;
            for (var i = 1; i < values.Length; i++)
            {
                best = values[i] > values[best] ? i : best;
            }

            var (frame, cell) = int.DivRem(best, Grid.Rows * Grid.Columns);
            return new MapPeak(frame, cell / Grid.Columns, cell % Grid.Columns, values[best]);
        }
    }

    /// <summary>The value of a cell of a picture, or of a video's first frame.</summary>
    /// <param name="row">Row, from the top.</param>
    /// <param name="column">Column, from the left.</param>
    public float this[int row, int column] => this[0, row, column];

    /// <summary>The value of a cell.</summary>
    /// <param name="frame">Frame (temporal patch).</param>
    /// <param name="row">Row, from the top.</param>
    /// <param name="column">Column, from the left.</param>
    public float this[int frame, int row, int column]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Grid.Rows, nameof(row));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Grid.Columns, nameof(column));
            return Frame(frame).Values.Span[(row * Grid.Columns) + column];
        }
    }

    /// <summary>The map of one frame.</summary>
    /// <param name="frame">Frame (temporal patch).</param>
    public ActivationMap Frame(int frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)frame, (uint)Grid.Frames, nameof(frame));
        var cells = Grid.Rows * Grid.Columns;
        return new ActivationMap(Grid with { Frames = 1 }, Values.Slice(frame * cells, cells));
    }
}

/// <summary>The cell of a map with the largest value.</summary>
/// <param name="Frame">Frame (temporal patch).</param>
/// <param name="Row">Row, from the top.</param>
/// <param name="Column">Column, from the left.</param>
/// <param name="Value">The value.</param>
public readonly record struct MapPeak(int Frame, int Row, int Column, float Value);
