namespace Tamx.Evaluation.Tests;

/// <summary>Bytes that look random: s = (1103515245 s + 12345) mod 2^31 from 12345, the upper 8 bits of each.</summary>
internal static class Noise
{
    public static byte[] Bytes(int count)
    {
        var state = 12345L;
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            state = ((state * 1103515245) + 12345) % 2147483648;
            bytes[i] = (byte)(state >> 23);
        }

        return bytes;
    }
}
