namespace Tamx.Report;

/// <summary>Colours of a map from its lowest to its highest value.</summary>
public enum ColourMap
{
    /// <summary>Black over purple and orange to light yellow (Smith and van der Walt 2015). The default.</summary>
    Magma,

    /// <summary>Purple over green to yellow (Smith and van der Walt 2015).</summary>
    Viridis,

    /// <summary>Blue over grey to yellow, for any colour vision (Nuñez, Anderton and Renslow 2018).</summary>
    Cividis,

    /// <summary>A smooth rainbow (Mikhailov 2019).</summary>
    Turbo,

    /// <summary>MATLAB's old rainbow, as in TAMX.</summary>
    Jet,
}

/// <summary>
/// Colour maps of 256 RGB triples. The page's <c>colormaps.js</c> has the same; a test compares them.
/// </summary>
internal static class ColourTable
{
    private const int Length = 256;
    private const string Viridis = "440154 482576 414487 35608d 2a788e 21908c 22a884 43bf71 7ad151 bbdf27 fde725";
    private const string Magma = "000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf";
    private const string Cividis = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838";

    private static readonly double[][] Turbo =
    [
        [0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
        [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
        [0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
    ];

    /// <summary>The table of a map: red, green and blue of each of 256 levels.</summary>
    public static byte[] Of(ColourMap map)
    {
        var colour = map switch
        {
            ColourMap.Viridis => Between(Viridis),
            ColourMap.Magma => Between(Magma),
            ColourMap.Cividis => Between(Cividis),
            ColourMap.Turbo => (x, channel) =>
                255 * Turbo[channel].Reverse().Aggregate((sum, factor) => (sum * x) + factor),
            ColourMap.Jet => (x, channel) => 255 * (1.5 - Math.Abs((4 * x) - (3 - channel))),
            _ => throw new ArgumentOutOfRangeException(nameof(map), map, "Not a colour map."),
        };
        var table = new byte[3 * Length];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = (byte)Math.Round(Math.Clamp(colour((i / 3) / (Length - 1.0), i % 3), 0, 255));
        }

        return table;
    }

    /// <summary>Interpolates linearly between published colours at equal distances.</summary>
    private static Func<double, int, double> Between(string colours)
    {
        byte[][] points = [.. colours.Split(' ').Select(Convert.FromHexString)];
        return (x, channel) =>
        {
            var place = x * (points.Length - 1);
            var left = Math.Min((int)place, points.Length - 2);
            return points[left][channel] + ((place - left) * (points[left + 1][channel] - points[left][channel]));
        };
    }
}
