using Tamx.Llama.Imaging;
using Tamx.Llama.Video;

namespace Tamx.Llama.Chat;

/// <summary>A video: the frames that a model is shown, with their times.</summary>
/// <remarks>
/// A Qwen-VL model looks at two frames at a time, which together become one <em>temporal patch</em>. The last frame of an odd number stands for two.
/// Immutable; may be used in any number of conversations, from several threads.
/// </remarks>
public sealed record VideoPart : ChatPart
{
    /// <summary>Frames of a temporal patch.</summary>
    private const int PatchFrames = 2;

    private VideoPart(IFrameSource source, string name, int width, int height, IReadOnlyList<double> seconds, double framesPerSecond)
    {
        Source = source;
        Name = name;
        Width = width;
        Height = height;
        Seconds = seconds;
        FramesPerSecond = framesPerSecond;
    }

    /// <summary>The ffmpeg that video files are read with: the first on the PATH, if there is an ffprobe too. Null if there is none.</summary>
    public static string? FfmpegPath => ChildProcess.Find("ffprobe") is null ? null : ChildProcess.Find("ffmpeg");

    /// <summary>What messages call the video: its file name, for example.</summary>
    public string Name { get; }

    /// <summary>Width of the frames in pixels as displayed.</summary>
    public int Width { get; }

    /// <summary>Height of the frames in pixels as displayed.</summary>
    public int Height { get; }

    /// <summary>Time of each frame in seconds from the start of the video [frames], ascending.</summary>
    public IReadOnlyList<double> Seconds { get; }

    /// <summary>Rate of the frames shown, which is what the sampling asked for or what there is.</summary>
    public double FramesPerSecond { get; }

    /// <summary>How large the model is to look at its frames; null for Qwen's own rules and the model's bounds.</summary>
    public PixelBounds? Bounds { get; init; }

    /// <summary>Number of temporal patches.</summary>
    public int PatchCount => (Seconds.Count + PatchFrames - 1) / PatchFrames;

    /// <summary>Reads the frames.</summary>
    internal IFrameSource Source { get; }

    /// <summary>Time of a temporal patch: the mean of its two frames' times.</summary>
    /// <param name="patch">Index of the patch.</param>
    public double PatchSeconds(int patch) => (Seconds[patch * PatchFrames] + Seconds[Math.Min((patch * PatchFrames) + 1, Seconds.Count - 1)]) / 2;

    /// <summary>Single pictures as the frames of a video.</summary>
    /// <param name="frames">The pictures in order, all of one size; all are shown, up to the sampling's limit.</param>
    /// <param name="sampling">The rate at which they were taken, and the limit; null for 2 per second, at most 768.</param>
    /// <param name="name">What messages call the video; null for the first picture's name.</param>
    /// <exception cref="InvalidInputException">There is no picture, one cannot be used, or they differ in size.</exception>
    public static VideoPart FromFrames(IReadOnlyList<ImagePart> frames, VideoSampling? sampling = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(frames);
        sampling = Valid(sampling);
        name ??= frames.Count == 0 ? "the video" : frames[0].Name;
        if (frames.Count == 0)
        {
            throw new InvalidInputException($"{name}: has no frame; at least one picture is needed");
        }

        sampling.RequireNoChoice(name);

        // Taking fewer than there are makes the rate smaller by as much.
        var chosen = sampling.ChooseAmongPictures(frames.Count);
        var rate = sampling.FramesPerSecond * chosen.Length / frames.Count;
        return Of([.. chosen.Select(index => frames[index])], [.. chosen.Select(index => index / sampling.FramesPerSecond)], rate, name);
    }

    /// <summary>The pictures of a folder, in the natural order of their names (2 before 10), as the frames of a video.</summary>
    /// <param name="path">The folder. Files in it that are no pictures, by their first bytes, are passed over.</param>
    /// <param name="sampling">As for <see cref="FromFrames"/>.</param>
    /// <exception cref="InvalidInputException">The folder cannot be read or holds no picture, a picture cannot be used, or they differ in size.</exception>
    public static VideoPart FromFolder(string path, VideoSampling? sampling = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        sampling = Valid(sampling);
        string[] files;
        try
        {
            files = Directory.GetFiles(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: the folder cannot be read: {e.Message}", e);
        }

        // The folder's part is the same for all.
        Array.Sort(files, NaturalOrder.Instance);
        string[] pictures = [.. files.Where(RgbImage.IsPictureFile)];
        if (pictures.Length == 0)
        {
            throw new InvalidInputException($"{path}: the folder holds no picture; put the frames there as JPEG, PNG, WebP, GIF or BMP");
        }

        sampling.RequireNoChoice(path);
        var chosen = sampling.ChooseAmongPictures(pictures.Length);
        return Of(
            [.. chosen.Select(index => ImagePart.FromFile(pictures[index]))],
            [.. chosen.Select(index => index / sampling.FramesPerSecond)],
            sampling.FramesPerSecond * chosen.Length / pictures.Length,
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))));
    }

    /// <summary>A video file, read by the ffmpeg on the PATH; or an animated GIF or WebP, or a single picture, for which none is needed.</summary>
    /// <param name="path">The file. Whatever its name looks like, it is a file of this machine and is never taken for an address or an option.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <remarks>The file is gone through once now, to find its frames, and once again when a model looks at them; it must stay as it is until then.</remarks>
    /// <exception cref="InvalidInputException">The file cannot be read or decoded, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static VideoPart FromFile(string path, VideoSampling? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        sampling = Valid(sampling);
        if (Directory.Exists(path))
        {
            return FromFolder(path, sampling);
        }

        if (RgbImage.IsPictureFile(path))
        {
            return FromAnimation(RgbImage.ReadFile(path), Path.GetFileName(path), sampling, cancellationToken);
        }

        var file = VideoFile.Open(path, sampling, cancellationToken);
        return new VideoPart(file, Path.GetFileName(path), file.Width, file.Height, file.Seconds, file.FramesPerSecond);
    }

    /// <summary>An animated GIF or WebP; any other picture is a video of one frame.</summary>
    /// <param name="encoded">The bytes of the file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the decoding.</param>
    /// <exception cref="ImageFormatException">It is no picture, or beyond the limits.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static VideoPart FromAnimation(
        ReadOnlyMemory<byte> encoded, string name, VideoSampling? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var animation = AnimatedImage.Decode(encoded, name, Valid(sampling), cancellationToken: cancellationToken);
        return Of(animation.Frames, animation.Seconds, animation.FramesPerSecond, name);
    }

    /// <summary>A video file in memory, for which ffmpeg is needed; or an animated GIF or WebP, or a single picture.</summary>
    /// <param name="encoded">The bytes of the file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidInputException">It cannot be decoded, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static VideoPart FromBytes(
        ReadOnlyMemory<byte> encoded, string name, VideoSampling? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (encoded.IsEmpty || RgbImage.IsPicture(encoded.Span))
        {
            return FromAnimation(encoded, name, sampling, cancellationToken);
        }

        var video = EncodedVideo.Open(encoded, name, Valid(sampling), cancellationToken);
        return new VideoPart(video, name, video.File.Width, video.File.Height, video.File.Seconds, video.File.FramesPerSecond);
    }

    private static VideoSampling Valid(VideoSampling? sampling)
    {
        sampling ??= new VideoSampling();
        sampling.Validate();
        return sampling;
    }

    private static VideoPart Of(IReadOnlyList<ImagePart> frames, IReadOnlyList<double> seconds, double framesPerSecond, string name)
    {
        var source = new PictureFrames(frames);
        (int Width, int Height)? size = null;
        foreach (var (image, picture) in source.Read(CancellationToken.None))
        {
            size ??= (image.Width, image.Height);
            if (size != (image.Width, image.Height))
            {
                throw new InvalidInputException(
                    $"{name}: frame {picture!.Name} is {image.Width} x {image.Height} pixels, {frames[0].Name} is {size.Value.Width} x {size.Value.Height}; all frames of a video must have one size");
            }
        }

        return new VideoPart(source, name, size!.Value.Width, size.Value.Height, seconds, framesPerSecond);
    }
}
