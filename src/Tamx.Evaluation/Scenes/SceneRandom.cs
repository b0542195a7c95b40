namespace Tamx.Evaluation.Scenes;

/// <summary>The random numbers that a scene is made from. A copy goes on with the same numbers.</summary>
/// <remarks>The pixels of every scene hang on each of these formulas.</remarks>
internal struct SceneRandom
{
    private ulong _state;

    public SceneRandom(ulong seed, ulong index)
    {
        _state = seed;
        _state = NextBits() ^ index;
        _state = NextBits();
    }

    public ulong NextBits() => SplitMix64.Next(ref _state);

    /// <summary>A whole number from 0 to <paramref name="count"/> - 1.</summary>
    public int Next(int count) => (int)((NextBits() >> 32) * (ulong)count >> 32);

    /// <summary>A whole number between two limits, both included.</summary>
    public int Between(int low, int high) => low + Next(high - low + 1);

    /// <summary>A number between two limits.</summary>
    public double Between(double low, double high) => low + ((high - low) * (NextBits() >> 11) / (1UL << 53));

    /// <summary>True in <paramref name="percent"/> of 100 cases.</summary>
    public bool Chance(int percent) => Next(100) < percent;

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];
}
