namespace Tamx.Llama.Gguf;

/// <summary>
/// GPT-2's letters for bytes, in which a GGUF writes its tokens: printable Latin-1 stands for itself, the rest follows
/// from U+0100 on.
/// </summary>
internal static class ByteToUnicode
{
    private static readonly Dictionary<char, byte> Bytes = Map();

    /// <summary>
    /// The bytes of a token written in byte letters; a token that holds any other letter is plain text (control tokens
    /// are).
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
