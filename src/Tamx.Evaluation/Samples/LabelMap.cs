namespace Tamx.Evaluation;

/// <summary>Says for every pixel of a picture which object it belongs to.</summary>
public sealed class LabelMap
{
    private readonly byte[] _labels;

    /// <summary>Wraps labels.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="labels">[height, width], row-major; 0 is background. Kept, not copied.</param>
    /// <exception cref="ArgumentException">The number of labels does not fit.</exception>
    public LabelMap(int width, int height, byte[] labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (labels.Length != (long)width * height)
        {
            throw new ArgumentException(
                $"{width} x {height} pixels need as many labels; there are {labels.Length}",
                nameof(labels)
            );
        }

        Width = width;
        Height = height;
        _labels = labels;
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>One label per pixel, row-major; 0 is background.</summary>
    public ReadOnlySpan<byte> Labels => _labels;

    /// <summary>
    /// Reads a PNG whose stored samples are the labels: grey of 1 to 16 bits, or indices of a palette.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">
    /// The file is missing, damaged or no PNG, or has a coloured pixel or a value above 255.
    /// </exception>
    public static LabelMap Open(string path) => LabelPng.Read(path);

    /// <summary>The pixels that bear one of the labels.</summary>
    /// <param name="labels">Labels of objects; their masks are joined.</param>
    internal PixelMask MaskOf(IReadOnlyCollection<int> labels)
    {
        Span<bool> wanted = stackalloc bool[256];
        foreach (var label in labels)
        {
            if (label is > 0 and < 256)
            {
                wanted[label] = true;
            }
        }

        var pixels = new bool[_labels.Length];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = wanted[_labels[i]];
        }

        return new PixelMask(Width, Height, pixels);
    }

    /// <summary>
    /// The same map with all labels of a group replaced by the group's first. Labels of no group become background.
    /// </summary>
    /// <param name="groups">Groups of labels; of a label in several the last counts.</param>
    internal LabelMap Join(IEnumerable<IReadOnlyList<int>> groups)
    {
        var joined = new byte[256];
        foreach (var group in groups)
        {
            foreach (var label in group)
            {
                joined[label] = (byte)group[0];
            }
        }

        return new LabelMap(Width, Height, Array.ConvertAll(_labels, label => joined[label]));
    }

    /// <summary>The pixels that bear any label.</summary>
    internal PixelMask MaskOfAll() => new(Width, Height, Array.ConvertAll(_labels, label => label != 0));
}
