using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ImageMagick;
using Tamx.Testing;

namespace Tamx.Evaluation.Tests;

/// <summary>Label maps of every kind of PNG, written sample by sample.</summary>
public sealed class LabelPngTests : IDisposable
{
    private const int Width = 11;
    private const int Height = 9;
    private const byte Grey = 0;
    private const byte Rgb = 2;
    private const byte Palette = 3;
    private const byte GreyAlpha = 4;
    private const byte Rgba = 6;

    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("labels.png");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Grey, 1)]
    [InlineData(Grey, 2)]
    [InlineData(Grey, 4)]
    [InlineData(Grey, 8)]
    [InlineData(Grey, 16)]
    [InlineData(Palette, 1)]
    [InlineData(Palette, 2)]
    [InlineData(Palette, 4)]
    [InlineData(Palette, 8)]
    [InlineData(GreyAlpha, 8)]
    [InlineData(GreyAlpha, 16)]
    [InlineData(Rgb, 8)]
    [InlineData(Rgb, 16)]
    [InlineData(Rgba, 8)]
    [InlineData(Rgba, 16)]
    public void Open_AnyStoredForm_GivesTheStoredSamples(byte colourType, byte bits)
    {
        var labels = Labels(bits);
        foreach (var filter in (byte[])[0, 1, 2, 3, 4])
        {
            foreach (var isInterlaced in (bool[])[false, true])
            {
                Write(labels, colourType, bits, filter, isInterlaced);

                var map = LabelMap.Open(Path);

                Assert.Equal((Width, Height), (map.Width, map.Height));
                Assert.Equal(labels, map.Labels);
            }
        }
    }

    [Fact]
    public void Open_GammaTransparencyAndOrientation_ChangeNoLabel()
    {
        var labels = Labels(8);
        byte[] rotated =
        [
            (byte)'M',
            (byte)'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            6,
            0,
            0,
            0,
            0,
            0,
            0,
        ];

        Write(labels, Grey, 8, extra: [("gAMA", [0, 0, 0x27, 0x10]), ("tRNS", [0, labels[5]]), ("eXIf", rotated)]);

        Assert.Equal(labels, LabelMap.Open(Path).Labels);
    }

    /// <summary>The samples above are told from the file's, so files of another writer are read as well.</summary>
    [Fact]
    public void Open_PaletteOfAnotherWriter_GivesItsIndices()
    {
        using var image = new MagickImage(MagickColors.Black, 16, 16);
        image.GetPixels().SetPixel(3, 2, [200, 10, 30]);
        File.WriteAllBytes(Path, image.ToByteArray(MagickFormat.Png8));

        var labels = LabelMap.Open(Path).Labels;

        Assert.NotEqual(labels[0], labels[(2 * 16) + 3]);
        Assert.InRange(labels.ToArray().Max(), 1, 1);
    }

    [Fact]
    public void Open_ValueAboveEightBits_NamesFileDepthAndPlace()
    {
        Write(Labels(8), Grey, 16, change: scanlines => scanlines[(2 * ((2 * Width) + 1)) + 1 + (2 * 4)] = 1);

        var exception = Assert.Throws<Llama.Media.ImageFormatException>(() => LabelMap.Open(Path));

        Assert.StartsWith(Path, exception.Message, StringComparison.Ordinal);
        Assert.Contains("16 bits per sample", exception.Message, StringComparison.Ordinal);
        Assert.Contains("at 4, 2", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ColouredPixel_NamesItsPlace()
    {
        Write(Labels(8), Rgb, 8, change: scanlines => scanlines[(5 * ((3 * Width) + 1)) + 1 + (3 * 7)] ^= 64);

        Assert.Contains(
            "coloured pixel at 7, 5",
            Assert.ThrowsAny<InvalidInputException>(() => LabelMap.Open(Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_DamagedAnywhere_ThrowsOneLineOrGivesTheLabels()
    {
        var labels = Labels(4);
        Write(labels, Grey, 4, filter: 4);
        var whole = File.ReadAllBytes(Path);
        for (var i = 0; i < whole.Length; i++)
        {
            File.WriteAllBytes(Path, whole[..i]);
            AssertRefused();
            File.WriteAllBytes(Path, [.. whole[..i], (byte)(whole[i] ^ 0x55), .. whole[(i + 1)..]]);
            AssertRefused();
        }

        void AssertRefused()
        {
            var exception = Assert.ThrowsAny<InvalidInputException>(() => LabelMap.Open(Path));
            Assert.DoesNotContain('\n', exception.Message);
        }
    }

    [Fact]
    public void Open_FewerRowsThanTheHeaderSays_IsRefused()
    {
        Write(Labels(8), Grey, 8, shorten: 3);

        Assert.Contains(
            "damaged PNG",
            Assert.ThrowsAny<InvalidInputException>(() => LabelMap.Open(Path)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>Labels that use every value of few bits, in no order.</summary>
    private static byte[] Labels(int bits) =>
        [.. Enumerable.Range(0, Width * Height).Select(i => (byte)((i * 37 % 251) & ((1 << Math.Min(bits, 8)) - 1)))];

    private void Write(
        byte[] labels,
        byte colourType,
        byte bits,
        byte filter = 0,
        bool isInterlaced = false,
        (string Type, byte[] Data)[]? extra = null,
        Action<byte[]>? change = null,
        int shorten = 0
    )
    {
        (int X, int Y, int StepX, int StepY)[] passes = isInterlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
            : [(0, 0, 1, 1)];
        List<byte> pixels = [];
        foreach (var (firstX, firstY, stepX, stepY) in passes)
        {
            byte[]? above = null;
            for (var y = firstY; y < Height && firstX < Width; y += stepY)
            {
                var row = Row(
                    [
                        .. Enumerable
                            .Range(0, Width)
                            .Where(x => x >= firstX && (x - firstX) % stepX == 0)
                            .Select(x => labels[(y * Width) + x]),
                    ],
                    colourType,
                    bits
                );
                pixels.Add(filter);
                pixels.AddRange(
                    Filter(row, above ?? new byte[row.Length], filter, Math.Max(1, Channels(colourType) * bits / 8))
                );
                above = row;
            }
        }

        byte[] scanlines = [.. pixels];
        change?.Invoke(scanlines);
        using MemoryStream compressed = new();
        using (ZLibStream zlib = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(scanlines.AsSpan(0, scanlines.Length - shorten));
        }

        byte[] header = [0, 0, 0, Width, 0, 0, 0, Height, bits, colourType, 0, 0, (byte)(isInterlaced ? 1 : 0)];
        byte[] colours = [.. Enumerable.Range(0, 3 << Math.Min((int)bits, 8)).Select(i => (byte)(i * 91))];
        var data = compressed.ToArray();
        File.WriteAllBytes(
            Path,
            [
                0x89,
                .. "PNG\r\n\x1a\n"u8,
                .. Chunk("IHDR", header),
                .. (extra ?? []).SelectMany(chunk => Chunk(chunk.Type, chunk.Data)),
                .. colourType == Palette ? Chunk("PLTE", colours) : [],
                .. Chunk("IDAT", data[..(data.Length / 2)]),
                .. Chunk("IDAT", data[(data.Length / 2)..]),
                .. Chunk("IEND", []),
            ]
        );
    }

    private static int Channels(byte colourType) =>
        colourType switch
        {
            Rgb => 3,
            GreyAlpha => 2,
            Rgba => 4,
            _ => 1,
        };

    private static byte[] Row(byte[] labels, byte colourType, byte bits)
    {
        var hasAlpha = colourType is GreyAlpha or Rgba;
        var greys = Channels(colourType) - (hasAlpha ? 1 : 0);
        if (bits >= 8)
        {
            return
            [
                .. labels.SelectMany(label =>
                    (byte[])
                        [
                            .. Enumerable
                                .Repeat(bits == 16 ? (byte[])[0, label] : [label], greys)
                                .SelectMany(sample => sample),
                            .. hasAlpha ? new byte[bits / 8] : [],
                        ]
                ),
            ];
        }

        var row = new byte[((labels.Length * bits) + 7) / 8];
        for (var i = 0; i < labels.Length; i++)
        {
            row[i * bits / 8] |= (byte)(labels[i] << (8 - bits - (i * bits % 8)));
        }

        return row;
    }

    private static IEnumerable<byte> Filter(byte[] row, byte[] above, byte filter, int pixelBytes) =>
        row.Select(
            (value, i) =>
            {
                var left = i >= pixelBytes ? row[i - pixelBytes] : 0;
                var corner = i >= pixelBytes ? above[i - pixelBytes] : 0;
                int[] byDistance =
                [
                    .. ((int[])[left, above[i], corner]).OrderBy(near => Math.Abs(left + above[i] - corner - near)),
                ];
                var predicted = filter switch
                {
                    1 => left,
                    2 => above[i],
                    3 => (left + above[i]) / 2,
                    4 => byDistance[0],
                    _ => 0,
                };
                return (byte)(value - predicted);
            }
        );

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(type), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        var crc = uint.MaxValue;
        foreach (var value in chunk.AsSpan(4, 4 + data.Length))
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(data.Length + 8), ~crc);
        return chunk;
    }
}
