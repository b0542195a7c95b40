using System.Text;

namespace Tamx.Llama;

/// <summary>Joins the bytes of tokens into text. A character of several tokens comes with the last one.</summary>
public sealed class Utf8TokenDecoder
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that these bytes complete. Bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="bytes">The next token's bytes.</param>
    public string Decode(ReadOnlySpan<byte> bytes) => Decode(bytes, flush: false);

    /// <summary>What is left at the end: U+FFFD for an incomplete character, else nothing.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_decoder.GetCharCount(bytes, flush)];
        var count = _decoder.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}
