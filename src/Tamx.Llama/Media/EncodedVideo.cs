namespace Tamx.Llama.Media;

/// <summary>A video file in memory. ffmpeg needs a file on disk, which exists only while frames are read.</summary>
internal sealed class EncodedVideo : IFrameSource
{
    private readonly ReadOnlyMemory<byte> _encoded;
    private readonly string _name;
    private readonly VideoSampling _sampling;

    private EncodedVideo(ReadOnlyMemory<byte> encoded, string name, VideoSampling sampling, VideoFile file)
    {
        _encoded = encoded;
        _name = name;
        _sampling = sampling;
        File = file;
    }

    /// <summary>What was found in the file. The file is gone: its frames cannot be read through this.</summary>
    public VideoFile File { get; }

    /// <summary>Finds a video's frames and chooses among them.</summary>
    /// <exception cref="InvalidInputException">It is no video, or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static EncodedVideo Open(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling sampling,
        CancellationToken cancellationToken
    )
    {
        using var file = new TemporaryFile(encoded);
        return new EncodedVideo(
            encoded,
            name,
            sampling,
            Named(file, name, () => VideoFile.Open(file.Path, sampling, cancellationToken))
        );
    }

    public IEnumerable<VideoFrame> Read(CancellationToken cancellationToken)
    {
        using var file = new TemporaryFile(_encoded);
        using var frames = Named(file, _name, () => VideoFile.Open(file.Path, _sampling, cancellationToken))
            .Read(cancellationToken)
            .GetEnumerator();
        while (Named(file, _name, frames.MoveNext))
        {
            yield return frames.Current;
        }
    }

    /// <summary>Reads, and puts the video's own name in the place of the file's in errors.</summary>
    private static T Named<T>(TemporaryFile file, string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidInputException e) when (e.Message.Contains(file.Path, StringComparison.Ordinal))
        {
            throw new InvalidInputException(e.Message.Replace(file.Path, name, StringComparison.Ordinal), e);
        }
    }

    private sealed class TemporaryFile : IDisposable
    {
        private readonly DirectoryInfo _folder;

        public TemporaryFile(ReadOnlyMemory<byte> content)
        {
            // In a new folder that nobody else can read.
            _folder = Directory.CreateTempSubdirectory("tamx-video-");
            Path = System.IO.Path.Combine(_folder.FullName, "video");
            try
            {
                System.IO.File.WriteAllBytes(Path, content.Span);
            }
            catch (IOException e)
            {
                Dispose();
                throw new InvalidInputException(
                    $"{_folder.FullName}: a video cannot be laid there for ffmpeg to read: {e.Message}",
                    e
                );
            }
        }

        public string Path { get; }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
