using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ImageMagick;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>Pictures with damaged heads and bodies.</summary>
internal sealed class PictureTarget : FuzzTarget
{
    private readonly byte[][] _whole;

    [SetsRequiredMembers]
    public PictureTarget()
    {
        Name = "picture";
        using var picture = new MagickImage("plasma:red-blue", 40, 30) { Quality = 80 };
        using var clear = new MagickImage("plasma:white-none", 24, 24);
        MagickFormat[] formats =
        [
            MagickFormat.Jpeg,
            MagickFormat.Pjpeg,
            MagickFormat.Png24,
            MagickFormat.Png8,
            MagickFormat.WebP,
            MagickFormat.Gif,
            MagickFormat.Bmp,
            MagickFormat.Bmp2,
            MagickFormat.Bmp3,
        ];
        _whole =
        [
            .. formats.Select(picture.ToByteArray),
            clear.ToByteArray(MagickFormat.Png32),
            clear.ToByteArray(MagickFormat.WebP),
            clear.ToByteArray(MagickFormat.Bmp),
            TestVideos.Animation(MagickFormat.Gif, 10, 20, 30),
            TestVideos.Animation(MagickFormat.WebP, 10, 20, 30),
        ];
    }

    public override byte[] Make(Random random)
    {
        var file = _whole[random.Next(_whole.Length)];
        var isPng = file[0] == 0x89;
        for (var i = random.Next(4) == 0 ? 3 : random.Next(1, 3); i > 0; i--)
        {
            file = ByteDamage.Apply(file, random, random.Next(2) == 0 ? 64 : int.MaxValue);
        }

        // Without right checksums a decoder of PNGs reads no further.
        return isPng && random.Next(4) != 0 ? WithChecksums(file) : file;
    }

    public override bool Take(byte[] input)
    {
        var isTaken = false;
        try
        {
            isTaken = RgbImage.Decode(input, "picture").Width > 0;
        }
        catch (ImageFormatException e)
        {
            RefusedWith(e);
        }

        if (input is [(byte)'G', ..] or [(byte)'R', ..])
        {
            try
            {
                _ = AnimatedImage.Decode(input, "animation", new VideoSampling());
            }
            catch (InvalidInputException e)
            {
                RefusedWith(e);
            }
        }

        return isTaken;
    }

    private static byte[] WithChecksums(byte[] file)
    {
        var right = (byte[])file.Clone();
        for (long at = 8; at + 12 <= right.Length; )
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(right.AsSpan((int)at));
            if (length > right.Length - at - 12)
            {
                break;
            }

            var crc = Checksum(right.AsSpan((int)at + 4, (int)length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(right.AsSpan((int)(at + 8 + length)), crc);
            at += 12 + length;
        }

        return right;
    }

    /// <summary>CRC-32 as PNG has it.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
