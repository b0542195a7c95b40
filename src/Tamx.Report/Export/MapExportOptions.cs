namespace Tamx.Report;

/// <summary>Formats that <see cref="MapExport"/> writes.</summary>
[Flags]
public enum ExportFormats
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The pictures, each with a token's map over it.</summary>
    Png = 1,

    /// <summary>All maps, relevance and candidates as one document.</summary>
    Json = 2,

    /// <summary>Tables: tokens, cells, text relevance.</summary>
    Csv = 4,

    /// <summary>Arrays that numpy reads.</summary>
    Npy = 8,
}

/// <summary>Options of <see cref="MapExport"/>.</summary>
public sealed record MapExportOptions
{
    /// <summary>Colours of the PNG files.</summary>
    public ColourMap Colours { get; init; } = ColourMap.Magma;

    /// <summary>Opacity of a map's high values over the picture, from 0 to 1.</summary>
    public double Opacity { get; init; } = 0.7;

    /// <summary>Interpolate between the cells. If off, each cell has one flat colour.</summary>
    public bool Smooth { get; init; } = true;

    /// <summary>Draw one PNG per word. If off, one per token.</summary>
    public bool Words { get; init; }

    /// <summary>Refuses values that cannot be drawn.</summary>
    /// <exception cref="InvalidInputException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        if (!(Opacity is >= 0 and <= 1))
        {
            throw new InvalidInputException($"export: opacity {Opacity}; it must be from 0 to 1");
        }
    }
}
