using System.Text;

namespace Tamx.Report.Tests;

public class TokenTextsTests
{
    private static readonly byte[] Bus = "🚌"u8.ToArray();

    [Fact]
    public void DecodeAfter_RestOfACharacter_GivesTheWhole() =>
        Assert.Equal("🚌", Texts(Bus[..2], Bus[2..]).DecodeAfter([0], 1));

    [Fact]
    public void DecodeAfter_StartOverSeveralTokens_GivesTheWhole() =>
        Assert.Equal("🚌!", Texts("a"u8.ToArray(), Bus[..1], Bus[1..3], [Bus[3], (byte)'!']).DecodeAfter([0, 1, 2], 3));

    [Fact]
    public void DecodeAfter_TextAfterAStart_LeavesTheStartOut() =>
        Assert.Equal(" other", Texts(Bus[..2], " other"u8.ToArray()).DecodeAfter([0], 1));

    [Fact]
    public void DecodeAfter_LoneByte_GivesTheReplacementCharacter() =>
        Assert.Equal("\uFFFD", Texts("a"u8.ToArray(), [0x9F]).DecodeAfter([0], 1));

    [Fact]
    public void Decode_CutAtTheEnd_GivesOneReplacementCharacter() =>
        Assert.Equal(["a", "\uFFFD", ""], Texts("a"u8.ToArray(), Bus[..1], Bus[1..3]).Decode([0, 1, 2]));

    [Fact]
    public void Decode_IdWithoutText_GivesTheId() => Assert.Equal(["a", "#77"], Texts("a"u8.ToArray()).Decode([0, 77]));

    [Fact]
    public void Decode_AnyCut_JoinsToTheWhole()
    {
        const string Whole = "aé€🚌ש 日本\n👨‍👩‍👧";
        var bytes = Encoding.UTF8.GetBytes(Whole);
        for (var step = 1; step <= 5; step++)
        {
            byte[][] tokens = [.. bytes.Chunk(step)];

            var decoded = Texts(tokens).Decode([.. Enumerable.Range(0, tokens.Length)]);

            Assert.Equal(tokens.Length, decoded.Length);
            Assert.Equal(Whole, string.Concat(decoded));
        }
    }

    private static TokenTexts Texts(params byte[][] texts) =>
        new(id => id < texts.Length ? texts[id] : default(ReadOnlyMemory<byte>?));
}
