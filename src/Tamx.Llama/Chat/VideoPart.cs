using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>A video.</summary>
/// <param name="Video">Its frames and their times.</param>
public sealed record VideoPart(Video Video) : ChatPart
{
    /// <summary>At which size the model sees the frames; null for Qwen's own rules and the model's bounds.</summary>
    public PixelBounds? Bounds { get; init; }

    /// <inheritdoc cref="Video.Name"/>
    public string Name => Video.Name;

    /// <inheritdoc cref="Video.Seconds"/>
    public IReadOnlyList<double> Seconds => Video.Seconds;

    /// <inheritdoc cref="Video.FromFile"/>
    public static VideoPart FromFile(
        string path,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    ) => new(Video.FromFile(path, sampling, cancellationToken));

    /// <inheritdoc cref="Video.FromFrames"/>
    public static VideoPart FromFrames(
        IReadOnlyList<ImagePart> frames,
        VideoSampling? sampling = null,
        string? name = null
    ) => new(Video.FromFrames([.. frames.Select(frame => frame.Image)], sampling, name));

    /// <inheritdoc cref="Video.FromAnimation"/>
    public static VideoPart FromAnimation(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    ) => new(Video.FromAnimation(encoded, name, sampling, cancellationToken));

    /// <inheritdoc cref="Video.FromBytes"/>
    public static VideoPart FromBytes(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling? sampling = null,
        CancellationToken cancellationToken = default
    ) => new(Video.FromBytes(encoded, name, sampling, cancellationToken));
}
