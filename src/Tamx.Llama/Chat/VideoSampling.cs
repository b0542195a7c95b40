namespace Tamx.Llama.Chat;

/// <summary>Which frames of a video a model is shown.</summary>
/// <remarks>
/// Source: <c>smart_nframes</c> and <c>fetch_video</c> of Qwen's qwen-vl-utils, which Qwen2-VL, Qwen2.5-VL and Qwen3-VL are published with: so many frames per second, at
/// least 4, at most 768, an even number of them (the temporal patch is 2), spread evenly from the first frame to the last. Where that asks for more frames than there
/// are, all are taken; Qwen's own code refuses a video of one frame.
/// </remarks>
public sealed record VideoSampling
{
    private const int MinFrames = 4;

    /// <summary>Frames to take per second of a video or an animation; for single pictures the rate at which they were taken; 0.001 to 1000. 2 by default.</summary>
    public double FramesPerSecond { get; init; } = 2;

    /// <summary>Most frames to take, rounded down to an even number unless it is 1. 768 by default.</summary>
    public int MaxFrames { get; init; } = 768;

    internal void Validate()
    {
        if (!(FramesPerSecond is >= 0.001 and <= 1000))
        {
            throw new InvalidInputException(FormattableString.Invariant($"{FramesPerSecond} frames per second (--fps); it must be 0.001 to 1000"));
        }

        if (MaxFrames < 1)
        {
            throw new InvalidInputException($"at most {MaxFrames} frames (--max-frames); it must be at least 1");
        }
    }

    /// <summary>The indices of the frames to take, ascending.</summary>
    /// <param name="frameCount">Frames that there are, at least 1.</param>
    /// <param name="framesPerSecond">Their rate.</param>
    internal int[] Choose(int frameCount, double framesPerSecond)
    {
        // Rates read from a file are off by less than 1e-6 or so; that must not cost a frame.
        const double Rounding = 1e-4;
        var wanted = Math.Max((frameCount / framesPerSecond * FramesPerSecond) + Rounding, MinFrames);
        return Spread(frameCount, (int)Math.Min(wanted, frameCount));
    }

    /// <summary>The indices of at most <see cref="MaxFrames"/> single pictures, ascending.</summary>
    internal int[] ChooseAmongPictures(int count) => count <= MaxFrames ? [.. Enumerable.Range(0, count)] : Spread(count, MaxFrames);

    private int[] Spread(int frameCount, int wanted)
    {
        var count = Math.Min(wanted, MaxFrames);
        if (count > 1 && count % 2 != 0)
        {
            count--;
        }

        return count == 1
            ? [0]
            : [.. Enumerable.Range(0, count).Select(i => (int)Math.Round(i * (frameCount - 1) / (double)(count - 1), MidpointRounding.ToEven))];
    }
}
