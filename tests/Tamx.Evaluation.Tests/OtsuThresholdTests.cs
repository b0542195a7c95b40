namespace Tamx.Evaluation.Tests;

/// <summary>
/// Thresholds, and values above them, that OpenCV 4.5.1 gives (THRESH_BINARY + THRESH_OTSU on 8-bit pictures of one
/// row).
/// </summary>
public sealed class OtsuThresholdTests
{
    public static TheoryData<string, byte[], int, int> FromOpenCv =>
        new()
        {
            { "all zero: no foreground", [0, 0, 0, 0], 0, 0 },
            { "one value: all foreground", [7, 7, 7, 7], 0, 4 },
            { "two values: every level between them is as good, the first wins", [10, 200], 10, 1 },
            { "two values, twice", [10, 10, 200, 200], 10, 2 },
            { "three values", [0, 0, 100, 200], 0, 2 },
            { "three values at equal distances: two splits tie", [0, 100, 200], 100, 1 },
            { "every level once", [.. Enumerable.Range(0, 256).Select(i => (byte)i)], 127, 128 },
            { "0 to 9", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4, 5 },
            { "squares", [.. Enumerable.Range(0, 16).Select(i => (byte)(i * i))], 81, 6 },
            { "one bright", [0, 0, 0, 0, 0, 0, 0, 0, 0, 255], 0, 1 },
            { "one barely bright", [0, 0, 0, 1], 0, 1 },
            { "Fibonacci", [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233], 89, 2 },
            { "noise", Noise.Bytes(144), 127, 68 },
        };

    [Theory]
    [MemberData(nameof(FromOpenCv))]
    public void Of_Values_GivesOpenCvsThreshold(string what, byte[] values, int threshold, int foreground)
    {
        Assert.NotEmpty(what);
        Assert.Equal(threshold, OtsuThreshold.Of(values));
        Assert.Equal(foreground, values.Count(value => value > threshold));
    }

    [Fact]
    public void Of_NoValues_Throws() => Assert.Throws<ArgumentException>(() => OtsuThreshold.Of([]));
}
