using System.Buffers.Binary;
using ImageMagick;

namespace Tamx.Llama.Media;

/// <summary>What an encoded picture says of itself, read before any decoder sees it.</summary>
/// <remarks>
/// A decoder allocates what a header claims: a PNG of 69 bytes can claim 300 million pixels a row. So the size comes
/// from here, is held to the limits, and only then the decoder is called. Formats: RFC 2083 (PNG), ITU T.81 (JPEG),
/// GIF 89a, RFC 9649 (WebP), Windows' BITMAPINFOHEADER and its successors (BMP).
/// </remarks>
/// <param name="Format">The format that the first bytes tell, to which the decoder is held.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Width">Width of the whole picture in pixels, before it is turned upright.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="FrameCount">Frames of a GIF or WebP; 1 elsewhere.</param>
/// <param name="HasAlpha">False if the format leaves no room for transparency, or says that there is none.</param>
internal sealed record PictureHead(
    MagickFormat Format,
    string MediaType,
    long Width,
    long Height,
    int FrameCount = 1,
    bool HasAlpha = true
)
{
    /// <summary>Bytes of a file that tell its format.</summary>
    public const int FormatBytes = 16;

    private const string Kinds = "JPEG, PNG, WebP, GIF or BMP";

    /// <summary>The format that a file's first bytes tell, or null.</summary>
    public static (MagickFormat Format, string MediaType)? FormatOf(ReadOnlySpan<byte> encoded)
    {
        if (encoded is [0xFF, 0xD8, 0xFF, ..])
        {
            return (MagickFormat.Jpeg, "image/jpeg");
        }

        if (encoded is [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..])
        {
            return (MagickFormat.Png, "image/png");
        }

        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..].StartsWith("WEBP"u8))
        {
            return (MagickFormat.WebP, "image/webp");
        }

        if (encoded.StartsWith("GIF87a"u8) || encoded.StartsWith("GIF89a"u8))
        {
            return (MagickFormat.Gif, "image/gif");
        }

        return encoded.StartsWith("BM"u8) ? (MagickFormat.Bmp, "image/bmp") : null;
    }

    /// <summary>Reads a picture's head and holds it to limits.</summary>
    /// <param name="encoded">The file's bytes; untrusted.</param>
    /// <param name="name">The picture's name for messages.</param>
    /// <param name="limits">The limits.</param>
    /// <exception cref="ImageFormatException">Another format, a damaged head, or beyond the limits.</exception>
    public static PictureHead Read(ReadOnlySpan<byte> encoded, string name, ImageLimits limits)
    {
        if (encoded.Length > limits.MaxFileBytes)
        {
            throw RgbImage.TooLong(encoded.Length, name, limits);
        }

        if (FormatOf(encoded) is not { } known)
        {
            throw new ImageFormatException(name, encoded.IsEmpty ? $"is empty; a {Kinds} is needed" : $"is no {Kinds}");
        }

        var (format, mediaType) = known;
        PictureHead? head;
        try
        {
            head = format switch
            {
                MagickFormat.Jpeg => ReadJpeg(encoded),
                MagickFormat.Png => ReadPng(encoded),
                MagickFormat.WebP => ReadWebP(encoded),
                MagickFormat.Gif => ReadGif(encoded),
                _ => ReadBmp(encoded),
            };
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            // Beyond the end of the bytes.
            head = null;
        }

        if (head is null)
        {
            throw new ImageFormatException(name, $"is no readable {mediaType} file: its head is damaged or cut off");
        }

        RgbImage.CheckSize(head.Width, head.Height, name, limits);
        return head;
    }

    private static PictureHead? ReadPng(ReadOnlySpan<byte> file)
    {
        const int HeaderStart = 8;
        var header = file.Slice(HeaderStart, 8 + 13);
        if (UInt32(header) != 13 || !header[4..].StartsWith("IHDR"u8))
        {
            return null;
        }

        var (depth, colour) = (header[16], header[17]);
        var isKnown = colour switch
        {
            0 => depth is 1 or 2 or 4 or 8 or 16,
            3 => depth is 1 or 2 or 4 or 8,
            2 or 4 or 6 => depth is 8 or 16,
            _ => false,
        };
        return isKnown
            ? new PictureHead(MagickFormat.Png, "image/png", UInt32(header[8..]), UInt32(header[12..]))
            : null;
    }

    /// <summary>The size stands in the first start of frame, somewhere after tables, profiles and previews.</summary>
    private static PictureHead? ReadJpeg(ReadOnlySpan<byte> file)
    {
        for (var at = 2; ; )
        {
            if (file[at..] is not [0xFF, ..])
            {
                return null;
            }

            // Any number of 0xFF may stand before a marker.
            while (file[at..] is [0xFF, ..])
            {
                at++;
            }

            var marker = file.Slice(at, 1)[0];
            at++;
            switch (marker)
            {
                case 0x01 or (>= 0xD0 and <= 0xD7):
                    continue;
                case 0x00 or 0xD8 or 0xD9 or 0xDA:
                    return null;
                case >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC):
                    // Length, precision, height, width, components.
                    var frame = file.Slice(at, 8);
                    return new PictureHead(
                        MagickFormat.Jpeg,
                        "image/jpeg",
                        BinaryPrimitives.ReadUInt16BigEndian(frame[5..]),
                        BinaryPrimitives.ReadUInt16BigEndian(frame[3..]),
                        HasAlpha: false
                    );
                default:
                    var length = BinaryPrimitives.ReadUInt16BigEndian(file.Slice(at, 2));
                    if (length < 2)
                    {
                        return null;
                    }

                    at += length;
                    break;
            }
        }
    }

    private static PictureHead? ReadGif(ReadOnlySpan<byte> file)
    {
        const int Trailer = 0x3B;
        const int Extension = 0x21;
        const int ImageDescriptor = 0x2C;
        var screen = file.Slice(6, 7);
        var width = UInt16(screen);
        var height = UInt16(screen[2..]);
        var at = 13 + PaletteBytes(screen[4]);
        var frameCount = 0;

        // The end may be missing: what is there is counted, and the decoder says what it makes of it.
        while (at < file.Length && file[at] != Trailer)
        {
            if (file[at] == Extension)
            {
                at += 2;
            }
            else if (file[at] == ImageDescriptor && file.Length - at >= 11)
            {
                var image = file.Slice(at + 1, 9);
                width = Math.Max(width, UInt16(image) + UInt16(image[4..]));
                height = Math.Max(height, UInt16(image[2..]) + UInt16(image[6..]));
                frameCount++;
                at += 10 + PaletteBytes(image[8]) + 1;
            }
            else
            {
                break;
            }

            // Data in blocks, each with its length before it; an empty one is the last.
            while (at < file.Length && file[at] != 0)
            {
                at += 1 + file[at];
            }

            at++;
        }

        return frameCount == 0 ? null : new PictureHead(MagickFormat.Gif, "image/gif", width, height, frameCount);

        static int PaletteBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
    }

    private static PictureHead? ReadWebP(ReadOnlySpan<byte> file)
    {
        const int FirstChunk = 12;
        PictureHead? head = null;
        var frameCount = 0;
        for (long at = FirstChunk; at + 8 <= file.Length; )
        {
            var chunk = file[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var data = chunk[8..];
            if (chunk.StartsWith("VP8X"u8) && head is null)
            {
                head = Of(UInt24(data[4..]) + 1, UInt24(data[7..]) + 1);
            }
            else if (chunk.StartsWith("VP8 "u8))
            {
                // Three bytes of a frame's tag, then its start code.
                if (data[3..6] is not [0x9D, 0x01, 0x2A])
                {
                    return null;
                }

                head = Largest(head, UInt16(data[6..]) & 0x3FFF, UInt16(data[8..]) & 0x3FFF);
            }
            else if (chunk.StartsWith("VP8L"u8))
            {
                if (data[0] != 0x2F)
                {
                    return null;
                }

                var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
                head = Largest(head, (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1);
            }
            else if (chunk.StartsWith("ANMF"u8))
            {
                // Offsets count in steps of two pixels.
                frameCount++;
                head = Largest(
                    head,
                    (2L * UInt24(data)) + UInt24(data[6..]) + 1,
                    (2L * UInt24(data[3..])) + UInt24(data[9..]) + 1
                );
            }
            else if (head is null)
            {
                return null;
            }

            at += 8 + length + (length & 1);
        }

        return head is null ? null : head with { FrameCount = Math.Max(1, frameCount) };

        static PictureHead Of(long width, long height) => new(MagickFormat.WebP, "image/webp", width, height);

        static PictureHead Largest(PictureHead? known, long width, long height) =>
            known is null
                ? Of(width, height)
                : known with
                {
                    Width = Math.Max(known.Width, width),
                    Height = Math.Max(known.Height, height),
                };
    }

    private static PictureHead? ReadBmp(ReadOnlySpan<byte> file)
    {
        const int CoreBytes = 12;
        const int InfoBytes = 40;
        const int WithAlphaMaskBytes = 56;
        const int BitFields = 3;
        const int AlphaBitFields = 6;
        var header = file[14..];
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (size == CoreBytes)
        {
            return Of(UInt16(header[4..]), UInt16(header[6..]), hasAlpha: false);
        }

        if (size is < 16 or > 1024)
        {
            return null;
        }

        // A negative height says that the rows go from the top down.
        long width = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        var height = Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(header[8..]));
        var compression = size < InfoBytes ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        if (width <= 0 || compression is not (<= BitFields or AlphaBitFields))
        {
            return null;
        }

        // Without a mask for it, the fourth byte of 32 bits means nothing. Some programs leave what they like there.
        var hasMask = compression == AlphaBitFields || (compression == BitFields && size >= WithAlphaMaskBytes);
        return Of(width, height, hasMask && BinaryPrimitives.ReadUInt32LittleEndian(header[(InfoBytes + 12)..]) != 0);

        static PictureHead Of(long width, long height, bool hasAlpha) =>
            new(MagickFormat.Bmp, "image/bmp", width, height, HasAlpha: hasAlpha);
    }

    private static uint UInt32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private static int UInt16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static int UInt24(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
}
