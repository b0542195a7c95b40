using System.Buffers.Binary;

namespace Tamx.Fuzz;

/// <summary>Damage that knows nothing of a format: bits, numbers at which something ends, cuts and repeats.</summary>
internal static class ByteDamage
{
    private static readonly long[] Numbers =
    [
        0,
        1,
        2,
        7,
        8,
        127,
        128,
        255,
        256,
        1023,
        32767,
        65535,
        65536,
        1 << 24,
        int.MaxValue,
        1L << 31,
        uint.MaxValue,
        1L << 32,
        long.MaxValue,
        long.MinValue,
        -1,
    ];

    /// <summary>Damages bytes once.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="random">Decides.</param>
    /// <param name="within">Only within the first so many bytes, if that is less.</param>
    public static byte[] Apply(byte[] bytes, Random random, int within = int.MaxValue)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        var end = Math.Min(bytes.Length, within);
        var at = random.Next(end);
        switch (random.Next(8))
        {
            case 0:
                return bytes[..at];
            case 1:
                byte[] cut = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 40))..]];
                return cut;
            case 2:
                var piece = bytes.AsSpan(at, Math.Min(bytes.Length - at, random.Next(1, 200))).ToArray();
                return [.. bytes[..at], .. piece, .. bytes[at..]];
            case 3:
                var noise = new byte[random.Next(1, 20)];
                random.NextBytes(noise);
                return [.. bytes[..at], .. noise, .. bytes[at..]];
            case <= 5:
                var width = 1 << random.Next(4);
                var copy = (byte[])bytes.Clone();
                var number = new byte[8];
                if (random.Next(2) == 0)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(number, Numbers[random.Next(Numbers.Length)]);
                }
                else
                {
                    BinaryPrimitives.WriteInt64BigEndian(
                        number,
                        Numbers[random.Next(Numbers.Length)] << (64 - (8 * width))
                    );
                }

                number.AsSpan(0, Math.Min(width, copy.Length - at)).CopyTo(copy.AsSpan(at));
                return copy;
            default:
                var flipped = (byte[])bytes.Clone();
                for (var i = random.Next(1, 5); i > 0; i--)
                {
                    flipped[random.Next(end)] ^= (byte)(1 << random.Next(8));
                }

                return flipped;
        }
    }
}
