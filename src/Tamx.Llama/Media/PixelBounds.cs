namespace Tamx.Llama.Media;

/// <summary>
/// How large a model is to look at one picture or video, as Qwen's messages say it; what is null is the model's choice.
/// </summary>
/// <remarks>
/// Source: <c>fetch_image</c> and <c>fetch_video</c> of Qwen's qwen-vl-utils. Sizes become whole cells; both sides
/// given go before the picture's own.
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

    /// <summary>
    /// Most pixels of all frames of a video that are shown, each temporal patch counted as one frame twice;
    /// <c>total_pixels</c>.
    /// </summary>
    public double? TotalPixels { get; init; }
}
