namespace Tamx.Llama.Tests;

public class OutsideTextTests
{
    [Theory]
    [InlineData("plain \u00E4\u4E2D\U0001F600", "plain \u00E4\u4E2D\U0001F600")]
    [InlineData("\u001B[31mred\u0007", "\\u001B[31mred\\u0007")]
    [InlineData("a\r\n\t b\u2028c", "a b c")]
    [InlineData("\u202Eevil\u2066", "\\u202Eevil\\u2066")]
    [InlineData("\u009B2J\0\u007F", "\\u009B2J\\u0000\\u007F")]
    [InlineData("\U000E0041tag", "\\uE0041tag")]
    [InlineData("\U0001F469\u200D\U0001F680", "\U0001F469\u200D\U0001F680")]
    [InlineData("  ", "")]
    public void Line_WhatATerminalObeys_IsEscaped(string text, string expected) =>
        Assert.Equal(expected, OutsideText.Line(text));

    [Fact]
    public void Line_HalfASurrogatePair_IsEscaped() =>
        Assert.Equal("\\uDE00half \\uD83D pair\\uD83D", OutsideText.Line("\uDE00half \uD83D pair\uD83D"));

    [Fact]
    public void LinePartName_LongText_IsCut()
    {
        var text = new string('x', 1_000_000);

        Assert.Equal(2003, OutsideText.Line(text).Length);
        Assert.Equal(203, OutsideText.Part(text).Length);
        Assert.Equal($"'{text[..80]}...'", OutsideText.Quoted(text));
    }

    [Fact]
    public void Lines_LineBreaksAndTabs_Stay() => Assert.Equal("a\n\tb\r\n\\u0008", OutsideText.Lines("a\n\tb\r\n\b"));

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "'\r=1")]
    [InlineData("\uFF1D1", "'\uFF1D1")]
    [InlineData("a=1", "a=1")]
    [InlineData("'=1", "'=1")]
    [InlineData("", "")]
    public void Cell_Formula_IsPrefixed(string text, string expected) => Assert.Equal(expected, OutsideText.Cell(text));
}
