using System.Buffers.Binary;
using System.IO.Compression;
using Tamx.Llama.Media;

namespace Tamx.Evaluation;

/// <summary>Reads the samples that a PNG stores, which in a label map are labels.</summary>
/// <remarks>
/// A decoder of pictures gives colours: it scales grey of few bits up and of 16 bits down, looks indices up in the
/// palette, and heeds gAMA, tRNS and the orientation in eXIf. Each of these turns a label into another one. The file is
/// untrusted. <see cref="RgbImage.CheckLimits"/> bounds its size beforehand.
/// </remarks>
internal sealed class LabelPng
{
    private const int SignatureBytes = 8;
    private const int ChunkOverhead = 12;
    private const int GreyType = 0;
    private const int RgbType = 2;
    private const int PaletteType = 3;
    private const int GreyAlphaType = 4;
    private const int RgbaType = 6;

    /// <summary>First column and row of a pass, and its steps. A picture has one pass, or seven (Adam7).</summary>
    private static readonly (int X, int Y, int StepX, int StepY)[] WholePass = [(0, 0, 1, 1)];

    private static readonly (int X, int Y, int StepX, int StepY)[] InterlacedPasses =
    [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];

    private readonly string _path;
    private readonly int _width;
    private readonly int _height;
    private readonly int _bitDepth;
    private readonly int _colourType;
    private readonly bool _isInterlaced;
    private readonly byte[] _compressed;

    private LabelPng(string path, ReadOnlySpan<byte> file)
    {
        _path = path;
        using var compressed = new MemoryStream();
        var at = SignatureBytes;
        for (var ends = false; !ends; )
        {
            if (
                file.Length - at < ChunkOverhead
                || BinaryPrimitives.ReadUInt32BigEndian(file[at..]) is var length
                    && length > file.Length - at - ChunkOverhead
            )
            {
                throw Damaged("it ends early");
            }

            var chunk = file.Slice(at + 4, 4);
            var data = file.Slice(at + 8, (int)length);
            at += ChunkOverhead + (int)length;
            if (BinaryPrimitives.ReadUInt32BigEndian(file[(at - 4)..]) != PngChecksum.Of(chunk, data))
            {
                throw Damaged("a checksum does not fit its data");
            }

            switch (chunk)
            {
                case var type when type.SequenceEqual("IHDR"u8) && data.Length == 13 && _width == 0:
                    _width = BinaryPrimitives.ReadInt32BigEndian(data);
                    _height = BinaryPrimitives.ReadInt32BigEndian(data[4..]);
                    (_bitDepth, _colourType, _isInterlaced) = (data[8], data[9], data[12] == 1);
                    CheckHeader(data);
                    break;
                case var type when type.SequenceEqual("IDAT"u8):
                    compressed.Write(data);
                    break;
                case var type when type.SequenceEqual("IEND"u8):
                    ends = true;
                    break;
            }
        }

        if (_width == 0)
        {
            throw Damaged("it has no header");
        }

        _compressed = compressed.ToArray();
    }

    /// <summary>Reads a file's samples as labels.</summary>
    /// <exception cref="ImageFormatException">
    /// The file is missing, damaged or no PNG, or has a coloured pixel or one whose value no label can have.
    /// </exception>
    public static LabelMap Read(string path)
    {
        var file = RgbImage.ReadFile(path);
        RgbImage.CheckLimits(file, path, ImageLimits.Default);
        if (!file.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']))
        {
            throw new ImageFormatException(
                path,
                "is no PNG; other formats do not keep label values: a label map is a PNG, grey or with a palette"
            );
        }

        var png = new LabelPng(path, file);
        return new LabelMap(png._width, png._height, png.ReadLabels());
    }

    private void CheckHeader(ReadOnlySpan<byte> header)
    {
        var isKnownDepth = _colourType switch
        {
            GreyType => _bitDepth is 1 or 2 or 4 or 8 or 16,
            PaletteType => _bitDepth is 1 or 2 or 4 or 8,
            RgbType or GreyAlphaType or RgbaType => _bitDepth is 8 or 16,
            _ => false,
        };
        if (_width < 1 || _height < 1 || !isKnownDepth || header[10] != 0 || header[11] != 0 || header[12] > 1)
        {
            throw Damaged("its header does not make sense");
        }
    }

    private byte[] ReadLabels()
    {
        var channels = _colourType switch
        {
            RgbType => 3,
            GreyAlphaType => 2,
            RgbaType => 4,
            _ => 1,
        };
        var labels = new byte[_width * _height];
        try
        {
            using var stream = new ZLibStream(new MemoryStream(_compressed), CompressionMode.Decompress);
            foreach (var (firstX, firstY, stepX, stepY) in _isInterlaced ? InterlacedPasses : WholePass)
            {
                var columns = (_width - firstX + stepX - 1) / stepX;
                if (columns <= 0)
                {
                    continue;
                }

                var pixelBytes = Math.Max(1, channels * _bitDepth / 8);
                var row = new byte[1 + (int)((((long)columns * channels * _bitDepth) + 7) / 8)];
                var above = new byte[row.Length];
                for (var y = firstY; y < _height; y += stepY)
                {
                    stream.ReadExactly(row);
                    Unfilter(row, above, pixelBytes);
                    for (var column = 0; column < columns; column++)
                    {
                        var x = firstX + (column * stepX);
                        labels[(y * _width) + x] = Label(row.AsSpan(1), column, channels, x, y);
                    }

                    (row, above) = (above, row);
                }
            }
        }
        catch (EndOfStreamException)
        {
            throw Damaged("its pixels end early");
        }
        catch (InvalidDataException)
        {
            throw Damaged("its pixels cannot be unpacked");
        }

        return labels;
    }

    /// <summary>Undoes a row's filter in place. The row and the one above begin with the filter's number.</summary>
    private void Unfilter(Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        var filter = row[0];
        if (filter > 4)
        {
            throw Damaged("it has a row with an unknown filter");
        }

        for (var i = 1; filter != 0 && i < row.Length; i++)
        {
            var left = i > pixelBytes ? (int)row[i - pixelBytes] : 0;
            var corner = i > pixelBytes ? (int)above[i - pixelBytes] : 0;
            var predicted = filter switch
            {
                1 => left,
                2 => above[i],
                3 => (left + above[i]) / 2,
                _ => Paeth(left, above[i], corner),
            };
            row[i] = (byte)(row[i] + predicted);
        }
    }

    private static int Paeth(int left, int above, int corner)
    {
        var estimate = left + above - corner;
        var toLeft = Math.Abs(estimate - left);
        var toAbove = Math.Abs(estimate - above);
        var toCorner = Math.Abs(estimate - corner);
        return toLeft <= toAbove && toLeft <= toCorner ? left
            : toAbove <= toCorner ? above
            : corner;
    }

    private byte Label(ReadOnlySpan<byte> row, int column, int channels, int x, int y)
    {
        var sample = Sample(row, column * channels);
        if (
            _colourType is RgbType or RgbaType
            && (Sample(row, (column * channels) + 1) != sample || Sample(row, (column * channels) + 2) != sample)
        )
        {
            throw new ImageFormatException(
                _path,
                $"has a coloured pixel at {x}, {y}; "
                    + "a label map is a PNG, grey or with a palette, its values are labels"
            );
        }

        return sample <= byte.MaxValue
            ? (byte)sample
            : throw new ImageFormatException(
                _path,
                $"has {_bitDepth} bits per sample and the value {sample} at {x}, {y}; labels are 0 to {byte.MaxValue}"
            );
    }

    private int Sample(ReadOnlySpan<byte> row, int index)
    {
        if (_bitDepth == 16)
        {
            return BinaryPrimitives.ReadUInt16BigEndian(row[(2 * index)..]);
        }

        // The first pixel is in the highest bits.
        var bit = index * _bitDepth;
        return (row[bit / 8] >> (8 - _bitDepth - (bit % 8))) & ((1 << _bitDepth) - 1);
    }

    private ImageFormatException Damaged(string fault) => new(_path, $"is a damaged PNG: {fault} (copy it again)");
}
