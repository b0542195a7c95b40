using System.Text;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

public sealed class JsonTextTests
{
    private const string Chat = "[\n{\"role\": \"user\", \"content\": \"Wie groß?\"}]";

    [Fact]
    public void Open_ByteOrderMark_IsReadAsWithoutIt()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("chat.json"), Chat, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal("Wie groß?", ((TextPart)ChatJson.Open(folder.File("chat.json"))[0].Parts[0]).Text);
    }

    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16BE", false)]
    [InlineData("utf-32", true)]
    [InlineData("utf-32", false)]
    [InlineData("utf-32BE", true)]
    [InlineData("utf-32BE", false)]
    public void Check_WideEncoding_IsNamed(string encoding, bool withMark)
    {
        var codec = Encoding.GetEncoding(encoding);
        byte[] json = [.. withMark ? codec.GetPreamble() : [], .. codec.GetBytes(Chat)];
        Assert.Equal(
            $"a.json: is {encoding[..6].ToUpperInvariant()} (line 1, byte 1); save it as UTF-8",
            Message(json)
        );
    }

    [Theory]
    [InlineData("latin1", 0xDF)]
    [InlineData("utf-8", 0xC3)]
    public void Check_NoUtf8_SaysLineAndByte(string encoding, int value)
    {
        // As UTF-8 the letter is cut in half.
        var json = Encoding.GetEncoding(encoding).GetBytes(Chat);
        var letter = Array.IndexOf(json, (byte)value);
        var cut = encoding == "utf-8" ? [.. json[..(letter + 1)], .. json[(letter + 2)..]] : json;
        Assert.Equal($"a.json: is no UTF-8: byte 0x{value:X2} (line 2, byte 37); save it as UTF-8", Message(cut));
    }

    [Theory]
    [InlineData("""["a", "\udc00"]""", "is no Unicode: half a surrogate pair (\\udc00) (line 1, byte 8)")]
    [InlineData("""{"\ud800\u0041": 1}""", "is no Unicode: half a surrogate pair (\\ud800) (line 1, byte 3)")]
    [InlineData("""["\ud83d\ude00\ud83d"]""", "is no Unicode: half a surrogate pair (\\ud83d) (line 1, byte 15)")]
    [InlineData("[\"\\\\ud83d\",\n \"a\\u0000\"]", "has a zero character (\\u0000) (line 2, byte 4)")]
    public void Check_EscapeThatIsNoText_SaysLineAndByte(string json, string message) =>
        Assert.Equal($"a.json: {message}", Message(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("""["\ud83d\ude00", "\\ud83d", "\\\\\u00e9\n", "\uD83D\uDE00"]""")]
    [InlineData("{\"a\": {\"b\": [1, null, \"\"]}}")]
    public void Check_SoundTexts_AreLeftAsTheyAre(string json) =>
        Assert.Equal(json, Encoding.UTF8.GetString(JsonText.Check(Encoding.UTF8.GetBytes(json), "a.json").Span));

    private static string Message(byte[] json) =>
        Assert.Throws<InvalidInputException>(() => JsonText.Check(json, "a.json")).Message;
}
