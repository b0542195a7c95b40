using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tamx.Llama.Media;

namespace Tamx.Report.Tests;

/// <summary>Files for other programs.</summary>
public sealed class MapExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Csv_OfARun_HoldsTokensCellsAndRelevance()
    {
        (var trace, var maps) = new Example { AnswerTexts = Example.Tokens("A", " \"red\",", " bus", ".") }.Build();

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Csv);

        Assert.Equal(["cells.csv", "relevance.csv", "tokens.csv"], Names());
        var tokens = Lines("tokens.csv");
        Assert.Equal("token,rank,position,id,text,word,probability,logit,range_minimum,range_maximum", tokens[0]);
        Assert.Equal(1 + (4 * 3), tokens.Length);
        Assert.StartsWith($"1,,{maps.Answer[1].Position},", tokens[4], StringComparison.Ordinal);
        Assert.Contains(",\" \"\"red\"\",\",", tokens[4], StringComparison.Ordinal);
        Assert.EndsWith(",0.5,12.5,0,11", tokens[4], StringComparison.Ordinal);

        // The picture's 12 cells for each of 4 tokens and 2 candidates each, the video's 8 for all but the first.
        var cells = Lines("cells.csv");
        Assert.Equal(1 + (12 * 12) + (9 * 8), cells.Length);
        var value = maps.Answer[2].Token.VisionMaps[1]![1, 1, 1];
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"2,,1,1,1,1,{value}"), cells);
        var candidate = maps.Answer[2].Candidates[1].VisionMaps[0]![1, 2];
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"2,1,0,0,1,2,{candidate}"), cells);

        Assert.Contains($"0,,{maps.Layout.ContextPositions[4]},?,1", Lines("relevance.csv"));
    }

    [Fact]
    public async Task Csv_TextsThatSpreadsheetsRun_ArePrefixedAndNumbersAreNot()
    {
        (var trace, var maps) = new Example
        {
            AnswerTexts = Example.Tokens("=1+1", "\u001B[2J", "@SUM(A1)", "+x"),
        }.Build();

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Csv);

        var tokens = Lines("tokens.csv");
        Assert.Contains(",'=1+1,", tokens[1], StringComparison.Ordinal);
        Assert.Contains(tokens, line => line.Contains(",'@SUM(A1),", StringComparison.Ordinal));
        Assert.Contains(tokens, line => line.Contains(",'+x,", StringComparison.Ordinal));
        Assert.Contains(tokens, line => line.Contains(",\\u001B[2J,", StringComparison.Ordinal));
        Assert.DoesNotContain('\u001B', string.Concat(tokens));
        Assert.DoesNotContain(Lines("cells.csv").Concat(tokens), line => line.Contains("'-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Npy_OfARun_HasShapesTypesAndValues()
    {
        (var trace, var maps) = new Example().Build();

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Npy);

        (var header, var values) = ReadFloats("maps.1");
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (4,2,2,2,), }", header);
        Assert.All(values[..8], value => Assert.True(float.IsNaN(value)));
        Assert.Equal(maps.Answer.Skip(1).SelectMany(token => token.Token.VisionMaps[1]!.Values.ToArray()), values[8..]);

        (header, values) = ReadFloats("candidate_maps.0");
        Assert.Contains("(4,2,1,3,4,)", header, StringComparison.Ordinal);
        Assert.Equal(maps.Answer[3].Candidates[1].VisionMaps[0]!.Values.ToArray(), values[^12..]);

        (header, values) = ReadFloats("relevance");
        Assert.Contains("(4,9,)", header, StringComparison.Ordinal);
        Assert.Equal([0.2f, 0.4f, 0.6f, 0.8f, 1f, float.NaN, float.NaN, float.NaN, float.NaN], values[..9]);

        Assert.Equal([0, 10, 0, 11, 0, 12, 0, 13], ReadFloats("ranges").Values);
        Assert.Contains("'<i8'", ReadHeader("token_ids", out var ids), StringComparison.Ordinal);
        Assert.Equal(
            maps.Answer.Select(token => (long)token.Token.TokenId),
            Enumerable.Range(0, 4).Select(i => BitConverter.ToInt64(ids, 8 * i))
        );
    }

    [Fact]
    public async Task Png_OfTokens_IsThePictureWithTheMapAndAScale()
    {
        var example = new Example { MapValue = (_, cell) => cell == 6 ? 1 : 0 };
        (var trace, var maps) = example.Build();
        var options = new MapExportOptions
        {
            Colours = ColourMap.Jet,
            Opacity = 1,
            Smooth = false,
        };

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Png, options);

        Assert.Equal(
            ["0000-A-1.png", "0001-red-1.png", "0001-red-2-frame-001.png", "0001-red-2-frame-002.png"],
            Names().Take(4)
        );
        var image = RgbImage.Open(_folder.File("0001-red-1.png"));
        Assert.Equal((40, 54), (image.Width, image.Height));

        // 40 x 30 pixels for 4 x 3 cells: cell 6 is in row 1, column 2. Jet's highest colour, fully covering.
        Assert.Equal([128, 0, 0], Pixel(image, 25, 15));
        Assert.NotEqual([128, 0, 0], Pixel(image, 15, 15));

        // A frame without a picture: 32 pixels a cell; its legend ends in 11.
        var bare = RgbImage.Open(_folder.File("0001-red-2-frame-002.png"));
        Assert.Equal((64, 64 + 24), (bare.Width, bare.Height));
        Assert.Equal([128, 0, 0], Pixel(bare, 16, 48));
    }

    [Fact]
    public async Task Png_OfWords_IsOnePerWord()
    {
        (var trace, var maps) = new Example
        {
            AnswerTexts = Example.Tokens("A", " ze", "bra", "."),
            HasVideo = false,
        }.Build();

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Png, new MapExportOptions { Words = true });

        Assert.Equal(["0000-A.png", "0001-zebra.png", "0003.png"], Names());
    }

    [Fact]
    public async Task DrawPng_Word_IsTheExportsPicture()
    {
        (var trace, var maps) = new Example
        {
            AnswerTexts = Example.Tokens("A", " ze", "bra", "."),
            HasVideo = false,
        }.Build();
        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Png, new MapExportOptions { Words = true });

        var png = MapExport.DrawPng(trace, maps.Words[1]);
        var small = RgbImage.Decode(MapExport.DrawPng(trace, maps.Words[1], maxSide: 20), "small");

        Assert.Equal(await File.ReadAllBytesAsync(_folder.File("0001-zebra.png")), png);
        Assert.Equal((20, 15 + 24), (small.Width, small.Height));
        Assert.Throws<InvalidInputException>(() => MapExport.DrawPng(trace, maps.Words[1], block: 1));
        Assert.Throws<InvalidInputException>(() => MapExport.DrawPng(trace, maps.Words[1], block: -1));
    }

    [Fact]
    public async Task Png_OfWordsWithoutTexts_Throws()
    {
        (var trace, var maps) = new Example { HasTexts = false }.Build();

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Png, new MapExportOptions { Words = true })
        );

        Assert.Contains("no words", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_OfARun_IsWhatTheSchemaSays()
    {
        (var trace, var maps) = new Example().Build();

        await MapExport.WriteAsync(trace, maps, _folder.Path, ExportFormats.Json);

        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(_folder.File("maps.json")));
        Assert.Equal(MapsJson.Format, document.RootElement.GetProperty("format").GetString());
        var schema = JsonNode
            .Parse(await File.ReadAllTextAsync(Path.Combine(Repository(), "docs", "tamx-maps.schema.json")))!
            .AsObject();
        Assert.True(
            JsonNode.DeepEquals(schema, MapsJson.Schema()),
            $"docs/tamx-maps.schema.json is not the schema of what is written:\n{MapsJson.Schema().ToJsonString(new JsonSerializerOptions { WriteIndented = true })}"
        );
        Assert.Equal(
            schema["properties"]!.AsObject().Select(property => property.Key),
            document.RootElement.EnumerateObject().Select(property => property.Name)
        );
    }

    [Fact]
    public async Task Export_FolderIsAFile_Throws()
    {
        (var trace, var maps) = new Example().Build();
        var path = _folder.File("file");
        await File.WriteAllTextAsync(path, "");

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            MapExport.WriteAsync(trace, maps, path, ExportFormats.Csv)
        );

        Assert.Contains("is a file; name a folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_Cancelled_LeavesNoPartOfAFile()
    {
        (var trace, var maps) = new Example().Build();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            MapExport.WriteAsync(
                trace,
                maps,
                _folder.Path,
                ExportFormats.Csv | ExportFormats.Png,
                null,
                new CancellationToken(canceled: true)
            )
        );

        Assert.Empty(Names());
    }

    [Fact]
    public async Task Opacity_OutsideItsRange_Throws()
    {
        (var trace, var maps) = new Example().Build();

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            MapExport.WriteAsync(
                trace,
                maps,
                _folder.Path,
                ExportFormats.Png,
                new MapExportOptions { Opacity = double.NaN }
            )
        );

        Assert.Contains("it must be from 0 to 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0f, "0")]
    [InlineData(0.225f, "0.225")]
    [InlineData(13f, "13")]
    [InlineData(-4.5f, "-4.5")]
    [InlineData(0.00002f, "2.0E-5")]
    [InlineData(1e9f, "1.0E+9")]
    public void Legend_Numbers_AreShortAndHaveGlyphs(float value, string expected)
    {
        Assert.Equal(expected, LegendImage.Format(value));
        var pixels = new byte[3 * 400 * 24];
        LegendImage.Draw(pixels, 400, 0, 24, (value, value), ColourTable.Of(ColourMap.Jet));
    }

    private static byte[] Pixel(RgbImage image, int x, int y) =>
        image.Pixels.Slice(3 * ((y * image.Width) + x), 3).ToArray();

    private static string Repository()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Tamx.sln")))
        {
            directory = directory.Parent!;
        }

        return directory.FullName;
    }

    private string[] Names() =>
        [.. Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    private string[] Lines(string name) =>
        File.ReadAllText(_folder.File(name)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    private (string Header, float[] Values) ReadFloats(string name)
    {
        var header = ReadHeader(name, out var rest);
        return (header, [.. Enumerable.Range(0, rest.Length / 4).Select(i => BitConverter.ToSingle(rest, 4 * i))]);
    }

    /// <summary>
    /// As numpy's format says: magic, version, length of a header that ends at a multiple of 64 bytes.
    /// </summary>
    private string ReadHeader(string name, out byte[] rest)
    {
        var file = File.ReadAllBytes(_folder.File(name + ".npy"));
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], file[..8]);
        int length = BitConverter.ToUInt16(file, 8);
        Assert.Equal(0, (10 + length) % 64);
        Assert.Equal((byte)'\n', file[9 + length]);
        rest = file[(10 + length)..];
        return Encoding.ASCII.GetString(file, 10, length).TrimEnd();
    }
}
