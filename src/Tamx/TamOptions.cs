namespace Tamx;

/// <summary>A preset of <see cref="TamOptions"/>.</summary>
public enum TamProfile
{
    /// <summary>As the Python library TAMX computes (with an exact ECI scale). The default.</summary>
    Tamx,

    /// <summary>As the paper's published code computes.</summary>
    Paper,

    /// <summary>Tamx's own choice where both references err.</summary>
    Tuned,
}

/// <summary>Options of the method.</summary>
public sealed record TamOptions
{
    /// <summary>The preset the options started from.</summary>
    public TamProfile Profile { get; init; } = TamProfile.Tamx;

    /// <summary>Estimated causal inference: subtract what the other words of the context explain. True by default.</summary>
    public bool ApplyEci { get; init; } = true;

    /// <summary>Rank-Gaussian filter. True by default.</summary>
    public bool ApplyFilter { get; init; } = true;

    /// <summary>Side of the filter's window: 1, 3, 5, 7 or 9. 3 by default.</summary>
    public int KernelSize { get; init; } = 3;
}
