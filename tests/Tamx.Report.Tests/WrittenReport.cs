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
        Data = JsonDocument.Parse(Block("report-data")).RootElement;
        using var deflate = new DeflateStream(new MemoryStream(Convert.FromBase64String(Block("report-vectors"))), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        deflate.CopyTo(unpacked);
        Vectors = unpacked.ToArray();
    }

    public string Html { get; }

    public JsonElement Data { get; }

    public byte[] Vectors { get; }

    public static async Task<WrittenReport> WriteAsync(Trace trace, ActivationMaps maps, HtmlReportOptions? options = null)
    {
        using var stream = new MemoryStream();
        await HtmlReport.WriteAsync(trace, maps, stream, options);
        return new WrittenReport(Encoding.UTF8.GetString(stream.ToArray()));
    }

    public static Task<WrittenReport> WriteAsync(Example example)
    {
        (Trace trace, ActivationMaps maps) = example.Build();
        return WriteAsync(trace, maps);
    }

    /// <summary>Content of the script element with this id.</summary>
    public string Block(string id)
    {
        Match match = Regex.Match(Html, $"<script [^>]*id=\"{id}\"[^>]*>(.*?)</script>", RegexOptions.Singleline);
        Assert.True(match.Success, $"no block {id}");
        return match.Groups[1].Value;
    }

    /// <summary>Texts of all tokens, joined by a bar.</summary>
    public string Texts() => string.Join('|', Data.GetProperty("tokens").GetProperty("text").EnumerateArray().Select(text => text.GetString()));

    /// <summary>A packed vector.</summary>
    public float[] Vector(JsonElement offset, int length)
    {
        ReadOnlySpan<byte> bytes = Vectors.AsSpan(checked((int)offset.GetInt64()));
        float minimum = BinaryPrimitives.ReadSingleLittleEndian(bytes);
        float maximum = BinaryPrimitives.ReadSingleLittleEndian(bytes[4..]);
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = minimum + (bytes[8 + i] / 255f * (maximum - minimum));
        }

        return values;
    }

    /// <summary>Names of all elements in the order of their start tags, with script and style content left out.</summary>
    public IReadOnlyList<string> Elements()
    {
        string bare = RawTextPattern().Replace(Html, "$1");
        return [.. StartTagPattern().Matches(bare).Select(match => match.Groups[1].Value)];
    }

    [GeneratedRegex("(<(script|style)[^>]*>).*?</\\2>", RegexOptions.Singleline)]
    private static partial Regex RawTextPattern();

    [GeneratedRegex("<([a-z][a-z0-9]*)")]
    private static partial Regex StartTagPattern();
}
