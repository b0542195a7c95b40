namespace Tamx.Llama.Media;

/// <summary>A video: the frames that a model is shown, with their times.</summary>
/// <remarks>
/// A Qwen-VL model looks at two frames at a time, which together become one <em>temporal patch</em>. The last frame of
/// an odd number stands for two. Immutable; may be used in any number of conversations, from several threads.
/// </remarks>
public sealed class Video
{
    /// <summary>Frames of a temporal patch.</summary>
    private const int PatchFrames = 2;

    private Video(
        IFrameSource source,
        string name,
        int width,
        int height,
        IReadOnlyList<double> seconds,
        double framesPerSecond
    )
    {
        Source = source;
        Name = name;
        Width = width;
        Height = height;
        Seconds = seconds;
        FramesPerSecond = framesPerSecond;
    }

    /// <summary>The ffmpeg that reads video files: the first on the PATH; null if it or ffprobe is not there.</summary>
    public static string? FfmpegPath => PipedProcess.Find("ffprobe") is null ? null : PipedProcess.Find("ffmpeg");

    /// <summary>What messages call the video, for example its file name.</summary>
    public string Name { get; }

    /// <summary>Width of the frames in pixels as displayed.</summary>
    public int Width { get; }

    /// <summary>Height of the frames in pixels as displayed.</summary>
    public int Height { get; }

    /// <summary>Time of each frame in seconds from the start of the video [frames], ascending.</summary>
    public IReadOnlyList<double> Seconds { get; }

    /// <summary>Rate of the frames shown, which is what the sampling asked for or what there is.</summary>
    public double FramesPerSecond { get; }

    /// <summary>Number of temporal patches.</summary>
    public int PatchCount => (Seconds.Count + PatchFrames - 1) / PatchFrames;

    /// <summary>Reads the frames.</summary>
    internal IFrameSource Source { get; }

    /// <summary>Time of a temporal patch: the mean of its two frames' times.</summary>
    /// <param name="patch">Index of the patch.</param>
    public double PatchSeconds(int patch)
    {
        var first = patch * PatchFrames;
        return (Seconds[first] + Seconds[Math.Min(first + 1, Seconds.Count - 1)]) / 2;
    }

    /// <summary>Single pictures as the frames of a video.</summary>
    /// <param name="frames">The pictures in order, all of one size. All are shown, up to the sampling's limit.</param>
    /// <param name="sampling">Rate at which they were taken, and limit; null for 2 per second, at most 768.</param>
    /// <param name="name">What messages call the video; null for the first picture's name.</param>
    /// <exception cref="InvalidInputException">No picture, one that cannot be used, or different sizes.</exception>
    public static Video FromFrames(
        IReadOnlyList<EncodedImage> frames,
        VideoSampling? sampling = null,
        string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(frames);
        name ??= frames.Count == 0 ? "the video" : frames[0].Name;
        return frames.Count > 0
            ? OfPictures(frames.Count, index => frames[index], Valid(sampling), name, name)
            : throw new InvalidInputException($"{name}: has no frame; at least one picture is needed");
    }

    /// <summary>The pictures of a folder as the frames of a video, in natural order of names (2 before 10).</summary>
    /// <param name="path">The folder. Files that do not begin as a picture does are passed over.</param>
    /// <param name="sampling">As for <see cref="FromFrames"/>.</param>
    /// <exception cref="InvalidInputException">
    /// The folder cannot be read or holds no picture, a picture cannot be used, or they differ in size.
    /// </exception>
    public static Video FromFolder(string path, VideoSampling? sampling = null)
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
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return pictures.Length > 0
            ? OfPictures(pictures.Length, index => EncodedImage.FromFile(pictures[index]), sampling, name, path)
            : throw new InvalidInputException(
                $"{path}: the folder holds no picture; put the frames there as JPEG, PNG, WebP, GIF or BMP"
            );
    }

    /// <summary>
    /// A video file, read by the ffmpeg on the PATH. An animated GIF or WebP, a single picture or a folder of pictures
    /// needs none.
    /// </summary>
    /// <param name="path">The file. Whatever its name, it is never taken for an address or an option.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <remarks>
    /// The file is read once now, to find its frames, and once again when a model looks at them. Until then it must
    /// stay as it is.
    /// </remarks>
    /// <exception cref="InvalidInputException">The file cannot be read or decoded, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Video FromFile(
        string path,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    )
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
        return Of(file, file, Path.GetFileName(path));
    }

    /// <summary>An animated GIF or WebP; any other picture is a video of one frame.</summary>
    /// <param name="encoded">The bytes of the file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the decoding.</param>
    /// <exception cref="ImageFormatException">It is no picture, or beyond the limits.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Video FromAnimation(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var animation = AnimatedImage.Decode(encoded, name, Valid(sampling), cancellationToken: cancellationToken);
        return Of(animation.Frames, animation.Seconds, animation.FramesPerSecond, name);
    }

    /// <summary>A video file in memory, for which ffmpeg is needed; or an animation or a single picture.</summary>
    /// <param name="encoded">The bytes of the file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampling">Which frames to show; null for Qwen's own rules.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidInputException">It cannot be decoded, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Video FromBytes(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (encoded.IsEmpty || RgbImage.IsPicture(encoded.Span))
        {
            return FromAnimation(encoded, name, sampling, cancellationToken);
        }

        var video = EncodedVideo.Open(encoded, name, Valid(sampling), cancellationToken);
        return Of(video, video.File, name);
    }

    /// <summary>The video with each frame changed when it is read.</summary>
    /// <param name="edit">Gives a frame's new pixels [height, width, 3].</param>
    internal Video Edit(Func<RgbImage, byte[]> edit) =>
        new(new EditedFrames(Source, edit), Name, Width, Height, Seconds, FramesPerSecond);

    private static VideoSampling Valid(VideoSampling? sampling)
    {
        sampling ??= new VideoSampling();
        sampling.Validate();
        return sampling;
    }

    private static Video Of(IFrameSource source, VideoFile file, string name) =>
        new(source, name, file.Width, file.Height, file.Seconds, file.FramesPerSecond);

    /// <param name="count">How many pictures there are.</param>
    /// <param name="read">Gives one of them.</param>
    /// <param name="sampling">Their rate, and how many to take.</param>
    /// <param name="name">The video's name.</param>
    /// <param name="place">What a message about the sampling begins with.</param>
    private static Video OfPictures(
        int count,
        Func<int, EncodedImage> read,
        VideoSampling sampling,
        string name,
        string place
    )
    {
        sampling.RequireNoChoice(place);

        // Taking fewer than there are makes the rate smaller by as much.
        var chosen = sampling.ChooseAmongPictures(count);
        return Of(
            [.. chosen.Select(read)],
            [.. chosen.Select(index => index / sampling.FramesPerSecond)],
            sampling.FramesPerSecond * chosen.Length / count,
            name
        );
    }

    private static Video Of(
        IReadOnlyList<EncodedImage> frames,
        IReadOnlyList<double> seconds,
        double framesPerSecond,
        string name
    )
    {
        var source = new PictureFrames(frames);
        (int Width, int Height)? size = null;
        foreach (var (image, encoded) in source.Read(CancellationToken.None))
        {
            size ??= (image.Width, image.Height);
            if (size != (image.Width, image.Height))
            {
                throw new InvalidInputException(
                    $"{name}: frame {encoded!.Name} is {image.Width} x {image.Height} pixels, "
                        + $"{frames[0].Name} is {size.Value.Width} x {size.Value.Height}; "
                        + "all frames of a video must have one size"
                );
            }
        }

        return new Video(source, name, size!.Value.Width, size.Value.Height, seconds, framesPerSecond);
    }
}
