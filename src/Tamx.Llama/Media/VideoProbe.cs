using System.Globalization;

namespace Tamx.Llama.Media;

/// <summary>Collects what ffprobe says of a video in its format <c>flat</c>: lines of <c>key="value"</c>.</summary>
internal sealed class VideoProbe
{
    // What Qwen's video processor takes if nothing is known.
    private const double UnknownRate = 24;

    private readonly List<double> _times = [];
    private double? _streamRate;
    private double _rotation;

    /// <summary>Frames so far.</summary>
    public int FrameCount => _times.Count;

    /// <summary>Width of the first frame in pixels as displayed.</summary>
    public int Width { get; private set; }

    /// <summary>Height of the first frame.</summary>
    public int Height { get; private set; }

    /// <summary>Times of the frames from the first one on [frames], after <see cref="Complete"/>.</summary>
    public IReadOnlyList<double> Seconds => _times;

    /// <summary>Frames per second on average, after <see cref="Complete"/>.</summary>
    public double FramesPerSecond { get; private set; }

    /// <summary>Takes in a line of output.</summary>
    public void Add(string line)
    {
        var separator = line.IndexOf('=', StringComparison.Ordinal);
        if (separator < 0)
        {
            return;
        }

        var key = line.AsSpan(0, separator);
        var value = line.AsSpan(separator + 1).Trim('"');
        if (key.EndsWith(".best_effort_timestamp_time"))
        {
            var isTime = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var time);
            _times.Add(isTime ? time : double.NaN);
        }
        else if (key.StartsWith("frames.") && key.EndsWith(".width") && Width == 0)
        {
            Width = Integer(value);
        }
        else if (key.StartsWith("frames.") && key.EndsWith(".height") && Height == 0)
        {
            Height = Integer(value);
        }
        else if (key.EndsWith(".avg_frame_rate"))
        {
            _streamRate = Ratio(value);
        }
        else if (key.EndsWith(".rotation") || key.EndsWith(".rotate"))
        {
            _rotation = Integer(value);
        }
    }

    /// <summary>Works out times, rate and size when all is read.</summary>
    public void Complete()
    {
        if (_rotation % 180 != 0)
        {
            (Width, Height) = (Height, Width);
        }

        // Missing or falling times are useless: frames are then spread by the stream's rate.
        var hasTimes =
            _times.TrueForAll(double.IsFinite)
            && _times.Zip(_times.Skip(1)).All(pair => pair.First <= pair.Second)
            && (_times.Count == 1 || _times[^1] > _times[0]);
        FramesPerSecond = _streamRate ?? UnknownRate;
        if (hasTimes && _times.Count > 1)
        {
            // Some containers keep whole milliseconds. The stream's own rate is better if the times agree with it.
            var measured = (_times.Count - 1) / (_times[^1] - _times[0]);
            FramesPerSecond = Math.Abs((FramesPerSecond / measured) - 1) < 0.01 ? FramesPerSecond : measured;
        }

        var start = _times[0];
        for (var i = 0; i < _times.Count; i++)
        {
            _times[i] = hasTimes ? _times[i] - start : i / FramesPerSecond;
        }
    }

    private static int Integer(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static double? Ratio(ReadOnlySpan<char> text)
    {
        var slash = text.IndexOf('/');
        var (above, below) = slash > 0 ? (Integer(text[..slash]), Integer(text[(slash + 1)..])) : (0, 0);
        return above > 0 && below > 0 ? (double)above / below : null;
    }
}
