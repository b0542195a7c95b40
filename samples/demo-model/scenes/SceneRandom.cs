namespace Tamx.Scenes;

/// <summary>Random numbers that are the same on every machine and with every .NET version: SplitMix64 (Steele, Lea and Flood, 2014).</summary>
internal struct SceneRandom
{
    private ulong _state;

    public SceneRandom(ulong seed, ulong index)
    {
        _state = seed;
        _state = NextBits() ^ index;
        _state = NextBits();
    }

    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

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
