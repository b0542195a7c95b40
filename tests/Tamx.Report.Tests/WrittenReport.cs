using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tamx.Report.Tests;

/// <summary>A report in memory, taken apart the way a browser does.</summary>
internal sealed partial class WrittenReport
{
    private WrittenReport(string html)
    {
        Html = html;
        Data = JsonDocument.Parse(Inflate("report-data")).RootElement;
        Vectors = Inflate("report-vectors");
    }

    public string Html { get; }

    public JsonElement Data { get; }

    public byte[] Vectors { get; }

    public static async Task<WrittenReport> WriteAsync(
        Trace trace,
        ActivationMaps maps,
        HtmlReportOptions? options = null
    )
    {
        using var stream = new MemoryStream();
        await HtmlReport.WriteAsync(trace, maps, stream, options);
        return new WrittenReport(Encoding.UTF8.GetString(stream.ToArray()));
    }

    public static Task<WrittenReport> WriteAsync(Example example)
    {
        (var trace, var maps) = example.Build();
        return WriteAsync(trace, maps);
    }

    /// <summary>Content of the script element with this id.</summary>
    public string Block(string id)
    {
        var match = Regex.Match(Html, $"<script [^>]*id=\"{id}\"[^>]*>(.*?)</script>", RegexOptions.Singleline);
        Assert.True(match.Success, $"no block {id}");
        return match.Groups[1].Value;
    }

    /// <summary>Texts of all tokens, joined by a bar.</summary>
    public string Texts() =>
        string.Join(
            '|',
            Data.GetProperty("tokens").GetProperty("text").EnumerateArray().Select(text => text.GetString())
        );

    /// <summary>A packed map.</summary>
    public float[] Dense(JsonElement offset, int length, int bits = 8)
    {
        ReadOnlySpan<byte> bytes = Vectors.AsSpan(checked((int)offset.GetInt64()));
        var minimum = BinaryPrimitives.ReadSingleLittleEndian(bytes);
        var maximum = BinaryPrimitives.ReadSingleLittleEndian(bytes[4..]);
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            values[i] = minimum + (Level(bytes[8..], i, bits) * (maximum - minimum));
        }

        return values;
    }

    /// <summary>A packed text relevance, with 0 for what is left out.</summary>
    public float[] Sparse(JsonElement offset, int length, int bits = 8)
    {
        ReadOnlySpan<byte> bytes = Vectors.AsSpan(checked((int)offset.GetInt64()));
        var maximum = BinaryPrimitives.ReadSingleLittleEndian(bytes);
        var indices = new int[BinaryPrimitives.ReadInt32LittleEndian(bytes[4..])];
        bytes = bytes[8..];
        var index = -1;
        for (var i = 0; i < indices.Length; i++)
        {
            for (var shift = 0; ; shift += 7)
            {
                var part = bytes[0];
                bytes = bytes[1..];
                index += (part & 0x7F) << shift;
                if (part < 0x80)
                {
                    break;
                }
            }

            indices[i] = index;
        }

        var values = new float[length];
        for (var i = 0; i < indices.Length; i++)
        {
            values[indices[i]] = Level(bytes, i, bits) * maximum;
        }

        return values;
    }

    /// <summary>
    /// Names of all elements in the order of their start tags, with script and style content left out.
    /// </summary>
    public IReadOnlyList<string> Elements()
    {
        var bare = RawTextPattern().Replace(Html, "$1");
        return [.. StartTagPattern().Matches(bare).Select(match => match.Groups[1].Value)];
    }

    private static float Level(ReadOnlySpan<byte> bytes, int index, int bits) =>
        bits == 8 ? bytes[index] / 255f : BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * index)..]) / 65535f;

    private byte[] Inflate(string id)
    {
        using var deflate = new DeflateStream(
            new MemoryStream(Convert.FromBase64String(Block(id))),
            CompressionMode.Decompress
        );
        using var unpacked = new MemoryStream();
        deflate.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    [GeneratedRegex("(<(script|style)[^>]*>).*?</\\2>", RegexOptions.Singleline)]
    private static partial Regex RawTextPattern();

    [GeneratedRegex("<([a-z][a-z0-9]*)")]
    private static partial Regex StartTagPattern();
}
