namespace Tamx.Llama;

/// <summary>Reads streams whose length nobody knows: pipes, devices, standard input.</summary>
internal static class StreamBytes
{
    /// <summary>The rest of a stream; null if it is longer than allowed.</summary>
    public static byte[]? ReadAtMost(this Stream stream, long most)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (stream.Read(buffer) is > 0 and var count)
        {
            if (bytes.Length + count > most)
            {
                return null;
            }

            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();
    }
}
