using Tamx.Llama.Media;

namespace Tamx.Report;

/// <summary>A picture in the page: as it came, or scaled down if it has too many pixels.</summary>
internal sealed class ReportPicture
{
    private readonly TracePicture _source;
    private readonly bool _isScaled;

    public ReportPicture(TracePicture source, long maxPixels)
    {
        _source = source;
        var scale = Math.Sqrt(maxPixels / ((double)source.Width * source.Height));
        _isScaled = scale < 1;
        Width = _isScaled ? Math.Max(1, (int)(source.Width * scale)) : source.Width;
        Height = _isScaled ? Math.Max(1, (int)(source.Height * scale)) : source.Height;
    }

    public int Width { get; }

    public int Height { get; }

    public string MediaType => _isScaled ? "image/jpeg" : _source.MediaType;

    /// <summary>The name in the page's JSON of the picture with this index in the trace.</summary>
    public static string ElementName(int index) => $"picture-{index}";

    /// <summary>The encoded bytes. They are decoded only on use, so that one picture at a time is in memory.</summary>
    /// <exception cref="ImageFormatException">The picture has to be scaled but cannot be read.</exception>
    public ReadOnlyMemory<byte> GetBytes() =>
        _isScaled
            ? RgbImage
                .Decode(_source.Bytes, _source.Name ?? $"picture of vision block {_source.BlockIndex}")
                .Resize(Width, Height)
                .EncodeJpeg()
            : _source.Bytes;
}
