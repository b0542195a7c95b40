namespace Tamx.Evaluation.Scenes;

/// <summary>What scenes shall look like.</summary>
public sealed record SceneOptions
{
    /// <summary>The most objects that a caption is written for.</summary>
    public const int MaxDescribed = 4;

    /// <summary>Width and height in pixels, 256 to 1024.</summary>
    public int Size { get; init; } = 384;

    /// <summary>The fewest objects, from 1.</summary>
    public int MinObjects { get; init; } = 1;

    /// <summary>
    /// The most objects, up to 8. A scene with more than <see cref="MaxDescribed"/> has no questions, and only as many
    /// objects as found a place.
    /// </summary>
    public int MaxObjects { get; init; } = MaxDescribed;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Size, 256, nameof(Size));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Size, 1024, nameof(Size));
        ArgumentOutOfRangeException.ThrowIfLessThan(MinObjects, 1, nameof(MinObjects));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxObjects, 8, nameof(MaxObjects));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MinObjects, MaxObjects, nameof(MinObjects));
    }
}
