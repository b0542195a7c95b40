namespace Tamx.Llama.Media;

/// <summary>At which size a model sees a picture or video, as Qwen's messages say it. Null for the model's.</summary>
/// <remarks>
/// Source: <c>fetch_image</c> and <c>fetch_video</c> of Qwen's qwen-vl-utils. Sizes become whole cells. Width and
/// height, where given, replace the picture's own.
/// </remarks>
public sealed record PixelBounds
{
    /// <summary>Least pixels, <c>min_pixels</c>; of each frame, for a video.</summary>
    public double? MinPixels { get; init; }

    /// <summary>Most pixels, <c>max_pixels</c>; of each frame, for a video.</summary>
    public double? MaxPixels { get; init; }

    /// <summary>Width in pixels before it becomes whole cells, <c>resized_width</c>; given with the height.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels before it becomes whole cells, <c>resized_height</c>; given with the width.</summary>
    public int? Height { get; init; }

    /// <summary>Most pixels of all frames shown, <c>total_pixels</c>. A temporal patch counts as two frames.</summary>
    public double? TotalPixels { get; init; }
}
