namespace Tamx.Llama.Gguf;

/// <summary>
/// GPT-2's byte-to-unicode table, in which a GGUF writes its tokens. Printable Latin-1 stands for itself; the other
/// bytes follow from U+0100 on.
/// </summary>
internal static class ByteToUnicode
{
    private static readonly Dictionary<char, byte> Bytes = Map();

    /// <summary>
    /// The bytes of a token. One with a character outside the table is plain text, like a control token.
    /// </summary>
    /// <param name="token">The token as the file has it.</param>
    public static byte[] Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out bytes[i]))
            {
                return System.Text.Encoding.UTF8.GetBytes(token);
            }
        }

        return bytes;
    }

    private static Dictionary<char, byte> Map()
    {
        var bytes = new Dictionary<char, byte>();
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var isPrintable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            bytes.Add((char)(isPrintable ? value : next++), (byte)value);
        }

        return bytes;
    }
}
