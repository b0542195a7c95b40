using Tamx.Llama.Media;

namespace Tamx;

/// <summary>How a model cuts a picture into cells: the rule of Qwen's image processor (<c>smart_resize</c>).</summary>
/// <param name="PatchSize">Side of a patch in pixels.</param>
/// <param name="MergeSize">Patches that the vision tower merges into one cell, per axis.</param>
/// <param name="MinPixels">Fewest pixels that a picture is scaled to.</param>
/// <param name="MaxPixels">Most pixels.</param>
internal sealed record PictureCells(int PatchSize, int MergeSize, long MinPixels, long MaxPixels)
{
    /// <summary>Rows and columns of cells of a picture.</summary>
    public (int Rows, int Columns) Of(int width, int height)
    {
        var cell = PatchSize * MergeSize;
        var pixels = (double)cell * cell;
        var size = QwenImageSize.Fit(width, height, cell, MinPixels / pixels, MaxPixels / pixels);
        return (size.Height / cell, size.Width / cell);
    }
}
