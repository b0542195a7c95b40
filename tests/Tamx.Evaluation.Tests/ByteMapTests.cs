namespace Tamx.Evaluation.Tests;

public sealed class ByteMapTests
{
    /// <summary>Results of OpenCV 4.5.1's resize (INTER_LINEAR, 8 bit).</summary>
    public static TheoryData<byte[], int, int, int, int, byte[]> FromOpenCv =>
        new()
        {
            { [0, 255], 1, 2, 1, 8, [0, 0, 32, 96, 159, 223, 255, 255] },
            {
                [10, 200, 30, 77],
                2,
                2,
                5,
                7,
                [
                    10,
                    10,
                    51,
                    105,
                    159,
                    200,
                    200,
                    12,
                    12,
                    50,
                    100,
                    150,
                    187,
                    187,
                    20,
                    20,
                    45,
                    79,
                    113,
                    139,
                    139,
                    28,
                    28,
                    41,
                    59,
                    76,
                    89,
                    89,
                    30,
                    30,
                    40,
                    53,
                    67,
                    77,
                    77,
                ]
            },
            {
                [0, 50, 255, 13, 90, 7, 200, 180, 33],
                3,
                3,
                8,
                8,
                [
                    0,
                    3,
                    22,
                    40,
                    88,
                    165,
                    242,
                    255,
                    1,
                    4,
                    23,
                    43,
                    87,
                    157,
                    228,
                    239,
                    6,
                    10,
                    33,
                    56,
                    82,
                    112,
                    141,
                    146,
                    11,
                    15,
                    42,
                    69,
                    77,
                    66,
                    55,
                    53,
                    48,
                    52,
                    74,
                    96,
                    89,
                    53,
                    18,
                    12,
                    118,
                    120,
                    128,
                    136,
                    118,
                    73,
                    29,
                    22,
                    188,
                    187,
                    182,
                    177,
                    147,
                    94,
                    40,
                    31,
                    200,
                    199,
                    191,
                    184,
                    152,
                    97,
                    42,
                    33,
                ]
            },
            {
                Noise.Bytes(144),
                12,
                12,
                5,
                7,
                [
                    116,
                    192,
                    183,
                    131,
                    124,
                    148,
                    189,
                    93,
                    160,
                    107,
                    212,
                    110,
                    48,
                    145,
                    123,
                    88,
                    97,
                    127,
                    78,
                    132,
                    80,
                    147,
                    132,
                    152,
                    113,
                    61,
                    64,
                    89,
                    92,
                    115,
                    98,
                    84,
                    117,
                    176,
                    158,
                ]
            },
        };

    [Theory]
    [MemberData(nameof(FromOpenCv))]
    public void Resize_Bytes_GivesOpenCvsResult(
        byte[] map,
        int rows,
        int columns,
        int height,
        int width,
        byte[] expected
    ) => Assert.Equal(expected, ByteMap.Resize(map, rows, columns, height, width));

    [Fact]
    public void Resize_12x12To100x96_GivesOpenCvsPixelsAndThreshold()
    {
        var resized = ByteMap.Resize(Noise.Bytes(144), 12, 12, 96, 100);

        // The fold h = 31 h + v mod 1,000,000,007 over OpenCV's 9,600 pixels.
        Assert.Equal(353740159, resized.Aggregate(0L, (hash, value) => ((hash * 31) + value) % 1000000007));
        Assert.Equal(123, OtsuThreshold.Of(resized));
        Assert.Equal(4836, resized.Count(value => value > 123));
    }

    [Fact]
    public void FromUnit_Values_CutsToWholeLevels() =>
        Assert.Equal([0, 127, 254, 255], ByteMap.FromUnit([0, 0.5f, 0.9999f, 1]));

    [Fact]
    public void Stretched_Values_BringsTheMaximumTo255()
    {
        Assert.Equal([0, 127, 255], ByteMap.Stretched([0, 0.1f, 0.2f]));
        Assert.Equal([0, 0], ByteMap.Stretched([0, 0]));
    }
}
