using System.Globalization;

namespace Tamx.Llama.Media;

/// <summary>Which frames of a video a model is shown.</summary>
/// <remarks>
/// Source: <c>smart_nframes</c> and <c>fetch_video</c> of qwen-vl-utils, with which Qwen2-VL, Qwen2.5-VL and Qwen3-VL
/// are published. It takes so many frames per second, at least 4 and at most 768, an even number (a temporal patch is
/// two frames), spread evenly from the first frame to the last. Where that is more than there are, all are taken.
/// Qwen's own code refuses a video of one frame; here it is accepted.
/// </remarks>
public sealed record VideoSampling
{
    /// <summary>Frames to take per second, or the rate of single pictures; 0.001 to 1000. 2 by default.</summary>
    public double FramesPerSecond { get; init; } = 2;

    /// <summary>Most frames to take, rounded down to an even number unless it is 1. 768 by default.</summary>
    public int MaxFrames { get; init; } = 768;

    /// <summary>Least frames to take, rounded up to an even number; not for single pictures. 4 by default.</summary>
    public int MinFrames { get; init; } = 4;

    /// <summary>Frames to take, rounded to an even number; null to go by the rate. Not for single pictures.</summary>
    public int? FrameCount { get; init; }

    /// <summary>Seconds of a video or an animation to begin at; null for its start.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>Seconds of a video or an animation to end at; null for its end.</summary>
    public double? EndSeconds { get; init; }

    internal void Validate()
    {
        if (!(FramesPerSecond is >= 0.001 and <= 1000))
        {
            throw InvalidInputException.Naming(
                $"{FramesPerSecond} frames per second ({Settings.FramesPerSecond}); it must be 0.001 to 1000"
            );
        }

        if (MaxFrames < 1)
        {
            throw InvalidInputException.Naming(
                $"at most {MaxFrames} frames ({Settings.MaxFrames}); it must be at least 1"
            );
        }

        if (MinFrames < 1)
        {
            throw new InvalidInputException($"at least {MinFrames} frames; it must be at least 1");
        }

        if (FrameCount < 2)
        {
            throw new InvalidInputException($"{FrameCount} frames; it must be at least 2");
        }
    }

    /// <summary>Refuses a choice among single pictures, all of which are shown.</summary>
    internal void RequireNoChoice(string name)
    {
        if (FrameCount is not null || StartSeconds is not null || EndSeconds is not null)
        {
            throw new InvalidInputException(
                $"{name}: nframes, video_start and video_end are for video files and animations; leave out frames, "
                    + "or give max_frames"
            );
        }
    }

    /// <summary>The frames from start to end, as qwen-vl-utils counts (<c>calculate_video_frame_range</c>).</summary>
    /// <param name="frameCount">Frames that there are, at least 1.</param>
    /// <param name="framesPerSecond">Their rate.</param>
    /// <param name="name">The video's name for messages.</param>
    internal (int First, int Count) Range(int frameCount, double framesPerSecond, string name)
    {
        // 0.3 seconds at 10 per second are frame 3, whatever the last bits say.
        const double Rounding = 1e-4;
        var first = Math.Ceiling(((StartSeconds ?? 0) * framesPerSecond) - Rounding);
        var last = Math.Min(
            EndSeconds is { } end ? Math.Floor((end * framesPerSecond) + Rounding) : frameCount - 1,
            frameCount - 1
        );
        return first <= last
            ? ((int)first, (int)(last - first) + 1)
            : throw new InvalidInputException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: holds no frame from video_start {StartSeconds ?? 0} to video_end "
                        + $"{EndSeconds ?? frameCount / framesPerSecond:0.###}; "
                        + $"it has {frameCount / framesPerSecond:0.###} seconds"
                )
            );
    }

    /// <summary>The indices of the frames to take, ascending.</summary>
    /// <param name="frameCount">Frames that there are, at least 1.</param>
    /// <param name="framesPerSecond">Their rate.</param>
    internal int[] Choose(int frameCount, double framesPerSecond)
    {
        // Rates read from a file are off by less than 1e-6 or so; that must not cost a frame.
        const double Rounding = 1e-4;
        var wanted = FrameCount is { } given
            ? Math.Round(given / 2.0, MidpointRounding.ToEven) * 2
            : Math.Max((frameCount / framesPerSecond * FramesPerSecond) + Rounding, Math.Ceiling(MinFrames / 2.0) * 2);
        return Spread(frameCount, (int)Math.Min(wanted, frameCount));
    }

    /// <summary>The indices of at most <see cref="MaxFrames"/> single pictures, ascending.</summary>
    internal int[] ChooseAmongPictures(int count) =>
        count <= MaxFrames ? [.. Enumerable.Range(0, count)] : Spread(count, MaxFrames);

    private int[] Spread(int frameCount, int wanted)
    {
        var count = Math.Min(wanted, MaxFrames);
        if (count > 1 && count % 2 != 0)
        {
            count--;
        }

        return count == 1 ? [0] : [.. Enumerable.Range(0, count).Select(Place)];

        int Place(int index) =>
            (int)Math.Round(index * (frameCount - 1) / (double)(count - 1), MidpointRounding.ToEven);
    }
}
