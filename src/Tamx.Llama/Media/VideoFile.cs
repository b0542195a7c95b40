using System.Globalization;
using System.Text;

namespace Tamx.Llama.Media;

/// <summary>A video file, decoded by the ffmpeg and ffprobe on the PATH.</summary>
/// <remarks>
/// The file is untrusted. <c>file:</c> before its path keeps any name from being an option, an address or a pattern.
/// ffmpeg may read no other protocol, and no format but the containers below: playlists and scripts name other files.
/// Frames come as raw RGB over a pipe, one at a time.
/// </remarks>
internal sealed class VideoFile : IFrameSource
{
    /// <summary>Most frames of a file: nine hours at 30 per second.</summary>
    private const int MaxFrames = 1_000_000;

    /// <summary>Most bytes that ffmpeg may allocate at once.</summary>
    private const string MostAllocation = "1000000000";

    private const string Containers =
        "mov,matroska,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,ivf,mjpeg,mxf,nut,dv,h264,hevc,m4v,av1,obu";

    private readonly string _path;
    private readonly int[] _indices;

    private VideoFile(string path, VideoProbe probe, int[] indices, double framesPerSecond)
    {
        _path = path;
        _indices = indices;
        Width = probe.Width;
        Height = probe.Height;
        Seconds = [.. indices.Select(index => probe.Seconds[index])];
        FramesPerSecond = framesPerSecond;
    }

    /// <summary>Width of the frames in pixels as displayed.</summary>
    public int Width { get; }

    /// <summary>Height of the frames in pixels.</summary>
    public int Height { get; }

    /// <summary>Times of the chosen frames, from the first frame of the file.</summary>
    public IReadOnlyList<double> Seconds { get; }

    /// <summary>Rate of the chosen frames.</summary>
    public double FramesPerSecond { get; }

    /// <summary>Finds a file's frames and chooses among them. All is decoded: containers often miscount.</summary>
    /// <exception cref="InvalidInputException">The file cannot be read, is no video, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static VideoFile Open(string path, VideoSampling sampling, CancellationToken cancellationToken)
    {
        CheckReadable(path);
        CheckStream(path, cancellationToken);
        var probe = new VideoProbe();
        using var ffprobe = PipedProcess.Start(
            FindProgram("ffprobe", path),
            [
                "-v",
                "error",
                "-threads",
                "0",
                .. Input(path),
                "-select_streams",
                "V:0",
                "-of",
                "flat",
                "-show_entries",
                "frame=best_effort_timestamp_time,width,height"
                    + ":stream=avg_frame_rate:stream_side_data=rotation:stream_tags=rotate",
            ],
            cancellationToken
        );
        using (var lines = new StreamReader(ffprobe.Output, Encoding.UTF8))
        {
            while (lines.ReadLine() is { } line)
            {
                ffprobe.NoteOutput();
                probe.Add(line);
                if (probe.FrameCount > MaxFrames)
                {
                    throw new InvalidInputException(
                        $"{path}: has more than {MaxFrames:N0} frames; cut it into shorter videos"
                    );
                }
            }
        }

        var code = ffprobe.Wait();
        if (probe.FrameCount == 0)
        {
            throw new InvalidInputException(
                $"{path}: is no video that ffmpeg can decode: "
                    + $"{(code == 0 ? "it holds no frame" : Complaint(ffprobe, path))}"
            );
        }

        probe.Complete();
        RgbImage.CheckSize((uint)probe.Width, (uint)probe.Height, path, ImageLimits.Default);
        var (first, count) = sampling.Range(probe.FrameCount, probe.FramesPerSecond, path);
        int[] indices = [.. sampling.Choose(count, probe.FramesPerSecond).Select(index => first + index)];
        return new VideoFile(Path.GetFullPath(path), probe, indices, probe.FramesPerSecond * indices.Length / count);
    }

    public IEnumerable<VideoFrame> Read(CancellationToken cancellationToken)
    {
        // ffmpeg takes no sum of more than 100 terms, but it does take sums of sums.
        const int Terms = 50;
        var sums = _indices.Chunk(Terms).Select(part => string.Join('+', part.Select(index => $"eq(n\\,{index})")));
        var chosen = string.Join('+', sums.Select(sum => $"({sum})"));

        // settb and setpts number the chosen frames anew. Else ffmpeg would drop or repeat some for a constant rate.
        using var ffmpeg = PipedProcess.Start(
            FindProgram("ffmpeg", _path),
            [
                "-v",
                "error",
                "-nostdin",
                .. Input(_path),
                "-map",
                "0:V:0",
                "-an",
                "-sn",
                "-dn",
                "-vf",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"select={chosen},settb=1/25,setpts=N,scale={Width}:{Height}"
                ),
                "-r",
                "25",
                "-frames:v",
                _indices.Length.ToString(CultureInfo.InvariantCulture),
                "-f",
                "rawvideo",
                "-pix_fmt",
                "rgb24",
                "pipe:1",
            ],
            cancellationToken
        );
        var name = Path.GetFileName(_path);
        for (var i = 0; i < _indices.Length; i++)
        {
            ffmpeg.NoteOutput();
            var pixels = new byte[checked(Width * Height * 3)];
            if (ffmpeg.Output.ReadAtLeast(pixels, pixels.Length, throwOnEndOfStream: false) < pixels.Length)
            {
                ffmpeg.Wait();
                throw new InvalidInputException(
                    $"{_path}: frame {_indices[i]} cannot be decoded: {Complaint(ffmpeg, _path)}"
                );
            }

            yield return new VideoFrame(RgbImage.OfFrame(Width, Height, pixels, name), null);
        }
    }

    /// <summary>Checks the size that the file claims, before anything is decoded.</summary>
    private static void CheckStream(string path, CancellationToken cancellationToken)
    {
        using var ffprobe = PipedProcess.Start(
            FindProgram("ffprobe", path),
            [
                "-v",
                "error",
                .. Input(path),
                "-select_streams",
                "V:0",
                "-of",
                "flat",
                "-show_entries",
                "stream=width,height",
            ],
            cancellationToken
        );
        var size = new Dictionary<string, long>(StringComparer.Ordinal);
        using (var lines = new StreamReader(ffprobe.Output, Encoding.UTF8))
        {
            while (lines.ReadLine() is { } line)
            {
                var parts = line.Split('=', 2);
                if (parts is [var key, var value] && long.TryParse(value, CultureInfo.InvariantCulture, out var number))
                {
                    size.TryAdd(key[(key.LastIndexOf('.') + 1)..], number);
                }
            }
        }

        // What is wrong with a file that has no size, the decoder says.
        ffprobe.Wait();
        if (
            size.GetValueOrDefault("width") is > 0 and var width
            && size.GetValueOrDefault("height") is > 0 and var height
        )
        {
            RgbImage.CheckSize(width, height, path, ImageLimits.Default);
        }
    }

    /// <summary>
    /// Options of a file to read. Frames may claim another size than the file, so the decoder has limits too.
    /// </summary>
    private static string[] Input(string path) =>
        [
            "-max_alloc",
            MostAllocation,
            "-max_pixels",
            ImageLimits.Default.MaxPixels.ToString(CultureInfo.InvariantCulture),
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            Containers,
            "-i",
            "file:" + Path.GetFullPath(path),
        ];

    private static string FindProgram(string program, string path) =>
        PipedProcess.Find(program)
        ?? throw new InvalidInputException(
            $"{path}: to read a video, {program} must be on the PATH and is not (Debian: apt-get install ffmpeg); "
                + "a folder of pictures and an animated GIF or WebP need none"
        );

    private static void CheckReadable(string path)
    {
        try
        {
            using var file = InputFile.Open(path);
            if (file.Length == 0)
            {
                throw new InvalidInputException($"{path}: is empty; a video is needed");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var isMissing = e is FileNotFoundException or DirectoryNotFoundException;
            throw new InvalidInputException(
                isMissing ? $"{path}: no such file" : $"{path}: cannot be read: {e.Message}",
                e
            );
        }
    }

    /// <summary>What the program said last, without the path in front.</summary>
    private static string Complaint(PipedProcess program, string path)
    {
        var text = program.LastError();
        var prefix = $"file:{Path.GetFullPath(path)}: ";
        return text.Length == 0 ? "the file ends early"
            : text.StartsWith(prefix, StringComparison.Ordinal) ? OutsideText.Part(text[prefix.Length..])
            : OutsideText.Part(text);
    }
}
