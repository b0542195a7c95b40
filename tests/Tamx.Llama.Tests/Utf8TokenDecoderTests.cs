using System.Text;

namespace Tamx.Llama.Tests;

public sealed class Utf8TokenDecoderTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("äöü € 漢字 🦊👩‍🚀")]
    public void Decode_ByteByByte_GivesTheText(string text)
    {
        var decoder = new Utf8TokenDecoder();
        var decoded = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            decoded.Append(decoder.Decode([b]));
        }

        decoded.Append(decoder.Flush());
        Assert.Equal(text, decoded.ToString());
    }

    [Fact]
    public void Decode_SplitEmoji_ComesWithItsLastToken()
    {
        var decoder = new Utf8TokenDecoder();
        Assert.Equal("", decoder.Decode([0xF0, 0x9F]));
        Assert.Equal("", decoder.Decode([0xA6]));
        Assert.Equal("🦊", decoder.Decode([0x8A]));
    }

    [Fact]
    public void Decode_InvalidBytes_BecomeReplacementCharacters()
    {
        var decoder = new Utf8TokenDecoder();
        Assert.Equal("a\uFFFDb", decoder.Decode([(byte)'a', 0xFF, (byte)'b']));
        Assert.Equal("", decoder.Decode([0xE2, 0x82]));
        Assert.Equal("\uFFFD", decoder.Flush());
    }
}
