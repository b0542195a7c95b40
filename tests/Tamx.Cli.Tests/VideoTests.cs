using System.Text.Json;
using ImageMagick;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary><c>tamx explain --video</c>, from files to the report.</summary>
public sealed class VideoTests : IDisposable
{
    private const int BadInput = 3;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// A split model end to end: llama.cpp loads all its files, and Tamx reads the output embedding from the last.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl-split")]
    [InlineData("qwen2.5vl-split")]
    public async Task Explain_SplitModel_NamesTheFirstFileAlone(string name)
    {
        var files = TestModels.Get(name);
        await File.WriteAllBytesAsync(_folder.File("a.gif"), TestVideos.Animation(MagickFormat.Gif, 50, 50, 50, 50));
        var trace = await Explain(
            "-m",
            files.ModelPath,
            "--mmproj",
            files.ProjectorPath,
            "--video",
            _folder.File("a.gif")
        );
        Assert.Equal([0.25, 1.25], trace.Pictures.Select(picture => picture.Seconds!.Value));
        Assert.Equal(
            name.StartsWith("qwen3", StringComparison.Ordinal) ? [(0, 0), (1, 0)] : [(0, 0), (0, 1)],
            trace.Pictures.Select(picture => (picture.BlockIndex, picture.FrameIndex))
        );
    }

    [Fact]
    public async Task Explain_ThreeSecondsOfVideo_OnePicturePerPatch()
    {
        TestVideos.Write(_folder.File("clip.mp4"), 3);
        var trace = await Explain("--video", _folder.File("clip.mp4"));

        // 6 frames at 2 per second: 0, 0.6, 1.2, 1.767, 2.367, 2.967.
        FloatAssert.Equal(
            [0.3, 1.4833, 2.6667],
            [.. trace.Pictures.Select(picture => picture.Seconds!.Value)],
            1e-3,
            "times"
        );
        Assert.All(
            trace.Pictures,
            picture => Assert.Equal(("image/jpeg", "clip.mp4"), (picture.MediaType, picture.Name))
        );
    }

    [Fact]
    public async Task Explain_FolderFilesAndAnimation_AreTheSameVideo()
    {
        Directory.CreateDirectory(_folder.File("frames"));
        string[] paths = [.. Enumerable.Range(0, 4).Select(index => _folder.File($"frames/{index}.png"))];
        foreach (var (index, path) in paths.Index())
        {
            await File.WriteAllBytesAsync(path, TestVideos.Frame(index).Encoded.ToArray());
        }

        await File.WriteAllBytesAsync(_folder.File("a.webp"), TestVideos.Animation(MagickFormat.WebP, 50, 50, 50, 50));
        var folder = await Explain("--video", _folder.File("frames"));
        var files = await Explain(["--video", .. paths]);
        var repeated = await Explain([.. paths.SelectMany(path => (string[])["--video", path])]);
        var animation = await Explain("--video", _folder.File("a.webp"));

        foreach (var other in (Trace[])[files, repeated, animation])
        {
            Assert.Equal(folder.TokenIds.AsSpan(), other.TokenIds.AsSpan());
            Assert.Equal([0.25, 1.25], other.Pictures.Select(picture => picture.Seconds!.Value));
        }

        Assert.Equal(folder.HiddenStates, files.HiddenStates);
        Assert.Equal(["0.png", "2.png"], files.Pictures.Select(picture => picture.Name));
        Assert.Equal("Describe this video.", Question(folder));
    }

    [Fact]
    public async Task Explain_FpsAndMaxFrames_ChooseFrames()
    {
        await File.WriteAllBytesAsync(
            _folder.File("a.gif"),
            TestVideos.Animation(MagickFormat.Gif, [.. Enumerable.Repeat(25, 12)])
        );
        Assert.Equal(3, (await Explain("--video", _folder.File("a.gif"))).Pictures.Count);
        Assert.Equal(6, (await Explain("--video", _folder.File("a.gif"), "--fps", "4")).Pictures.Count);
        Assert.Equal(
            2,
            (await Explain("--video", _folder.File("a.gif"), "--fps", "4", "--max-frames", "5")).Pictures.Count
        );
        Assert.Single((await Explain("--video", _folder.File("a.gif"), "--max-frames", "1")).Pictures);
    }

    [Fact]
    public async Task Explain_SeveralAnimations_AreVideosOfTheirOwn()
    {
        await File.WriteAllBytesAsync(_folder.File("a.gif"), TestVideos.Animation(MagickFormat.Gif, 50, 50));
        await File.WriteAllBytesAsync(_folder.File("b.gif"), TestVideos.Animation(MagickFormat.Gif, 50, 50, 50, 50));
        var trace = await Explain("--video", _folder.File("a.gif"), "--video", _folder.File("b.gif"));
        Assert.Equal([1, 2], trace.VideoGrids.Select(grid => grid.Frames));
        Assert.Equal(["a.gif", "b.gif", "b.gif"], trace.Pictures.Select(picture => picture.Name));
    }

    [Fact]
    public async Task Explain_MessagesWithVideo_LikeTheOption()
    {
        await File.WriteAllBytesAsync(_folder.File("a.gif"), TestVideos.Animation(MagickFormat.Gif, 50, 50, 50));
        await File.WriteAllTextAsync(
            _folder.File("chat.json"),
            """
            [{"role": "user", "content": [{"type": "video", "video": "a.gif", "fps": 1}, {"type": "text", "text": "Describe this video."}]}]
            """
        );
        var messages = await Explain("--messages", _folder.File("chat.json"));
        var option = await Explain("--video", _folder.File("a.gif"), "--fps", "1");
        Assert.Equal(option.HiddenStates, messages.HiddenStates);
    }

    /// <summary>
    /// The demo model names a shape that moves, and the word's map is on the shape in every patch, wherever it is by
    /// then.
    /// </summary>
    [Fact]
    public async Task Explain_MovingShape_TheMapGoesWithIt()
    {
        var video = Path.Combine(AppContext.BaseDirectory, "moving.gif");
        var trace = await Explain("--video", video);
        var maps = ActivationMaps.Compute(trace);
        var noun = maps.Answer.First(token => trace.FindText(token.Token.TokenId)! == " diamond");
        Assert.Equal(4, trace.Pictures.Count);
        var columns = new List<int>();
        foreach (var picture in trace.Pictures)
        {
            var grid = maps.Layout.VisionBlocks[picture.BlockIndex].Grid;
            var map = noun.Token.VisionMaps[picture.BlockIndex]!;
            var (_, row, column, _) = map.Peak;
            columns.Add(column);

            // The shape is orange, all else is grey.
            var frame = RgbImage.Decode(picture.Bytes, "frame");
            var (y, x) = (
                ((2 * row) + 1) * frame.Height / (2 * grid.Rows),
                ((2 * column) + 1) * frame.Width / (2 * grid.Columns)
            );
            var pixel = frame.Pixels.Slice(3 * ((y * frame.Width) + x), 3);
            Assert.True(
                pixel[0] > pixel[2] + 60,
                $"at {picture.Seconds} s the map is strongest at row {row}, column {column}, where the picture is {string.Join(' ', pixel.ToArray())}"
            );
        }

        Assert.Equal(columns.OrderDescending(), columns);
        Assert.True(columns[0] > columns[^1], "it moves to the left");
    }

    /// <summary>The ten frames of real material, where it is at hand.</summary>
    [Fact]
    public async Task Explain_RealFrames_FivePictures()
    {
        var trace = await Explain("--video", RealMaterial.Find("frames"));
        Assert.Equal([0.25, 1.25, 2.25, 3.25, 4.25], trace.Pictures.Select(picture => picture.Seconds!.Value));
        Assert.Equal(
            ["0000.jpg", "0002.jpg", "0004.jpg", "0006.jpg", "0008.jpg"],
            trace.Pictures.Select(picture => picture.Name)
        );
        var report = await File.ReadAllTextAsync(_folder.File("report.html"));
        Assert.All(
            trace.Pictures,
            picture => Assert.Contains(Convert.ToBase64String(picture.Bytes.Span), report, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Video_CannotBeDecoded()
    {
        TestVideos.SkipWithoutFfmpeg();
        await File.WriteAllBytesAsync(
            _folder.File("noise.mp4"),
            [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37))]
        );
        await Fails("noise.mp4: is no video", "--video", _folder.File("noise.mp4"));
        TestVideos.Write(_folder.File("whole.mp4"), 1);
        await File.WriteAllBytesAsync(
            _folder.File("cut.mp4"),
            (await File.ReadAllBytesAsync(_folder.File("whole.mp4")))[..4000]
        );
        await Fails("cut.mp4: is no video", "--video", _folder.File("cut.mp4"));
    }

    [Fact]
    public async Task Video_ZeroLength()
    {
        await File.WriteAllBytesAsync(_folder.File("empty.mp4"), []);
        await Fails("empty.mp4: is empty", "--video", _folder.File("empty.mp4"));
    }

    [Fact]
    public Task Video_Missing() => Fails("nowhere.mp4: no such file", "--video", _folder.File("nowhere.mp4"));

    [Fact]
    public Task Video_EmptyFolder() => Fails("holds no picture", "--video", _folder.Path);

    [Fact]
    public async Task Video_FramesOfDifferentSize()
    {
        await File.WriteAllBytesAsync(_folder.File("0.png"), TestVideos.Frame(0).Encoded.ToArray());
        await File.WriteAllBytesAsync(_folder.File("1.png"), TestVideos.Frame(1, 64, 64).Encoded.ToArray());
        await Fails("all frames of a video must have one size", "--video", _folder.Path);
    }

    [Fact]
    public async Task Video_MoreThanTheContextHolds()
    {
        await File.WriteAllBytesAsync(
            _folder.File("a.gif"),
            TestVideos.Animation(MagickFormat.Gif, [.. Enumerable.Repeat(25, 200)])
        );
        await Fails("was trained for", "--video", _folder.File("a.gif"), "--fps", "4");
        await Fails("--max-frames", "--video", _folder.File("a.gif"), "-c", "1000");
    }

    [Fact]
    public async Task Video_PartWithoutData()
    {
        await File.WriteAllTextAsync(
            _folder.File("chat.json"),
            """[{"role": "user", "content": [{"type": "video"}]}]"""
        );
        await Fails("message 0, part 0 has no video", "--messages", _folder.File("chat.json"));
    }

    [Theory]
    [InlineData("--fps", "0")]
    [InlineData("--fps", "NaN")]
    [InlineData("--fps", "1e9")]
    [InlineData("--max-frames", "0")]
    public Task Sampling_Senseless(string option, string value) =>
        Fails(2, option, "--video", _folder.Path, option, value);

    /// <summary>The program by itself, with a PATH in which there is no ffmpeg.</summary>
    [Fact]
    public async Task Ffmpeg_Missing()
    {
        await File.WriteAllBytesAsync(_folder.File("clip.mp4"), new byte[1000]);

        // A file of that name in the current folder is not what is meant.
        await File.WriteAllTextAsync(_folder.File("ffprobe"), "#!/bin/sh\nexit 0\n");
        var run = await CommandRun.OfProcess(
            ["explain", "--video", "clip.mp4", "-o", "report.html"],
            _folder.Path,
            ("PATH", "")
        );

        run.AssertFails(BadInput, "ffprobe must be on the PATH");
        Assert.False(File.Exists(_folder.File("report.html")));
    }

    private async Task<Trace> Explain(params string[] arguments)
    {
        var trace = _folder.File("trace.safetensors");
        var run = await CommandRun.Of([
            "explain",
            .. arguments,
            "-o",
            _folder.File("report.html"),
            "--save-trace",
            trace,
            "-n",
            "4",
            "-t",
            "1",
        ]);
        Assert.Equal((0, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        var loaded = TraceFile.Load(trace);

        // One picture for each temporal patch, in the trace and in the report; and the maps can be had again.
        var maps = ActivationMaps.Compute(loaded);
        Assert.Equal(maps.Layout.VisionBlocks.Sum(block => block.Grid.Frames), loaded.Pictures.Count);
        Assert.All(maps.Layout.VisionBlocks, block => Assert.True(block.IsVideo));
        var report = await File.ReadAllTextAsync(_folder.File("report.html"));
        Assert.All(
            Enumerable.Range(0, loaded.Pictures.Count),
            index => Assert.Contains($"\"picture-{index}\"", report, StringComparison.Ordinal)
        );
        Assert.DoesNotContain($"\"picture-{loaded.Pictures.Count}\"", report, StringComparison.Ordinal);
        var again = await CommandRun.Of(["maps", trace, "-o", _folder.File("maps.safetensors"), "--json"]);
        using var json = JsonDocument.Parse(again.Output);
        Assert.Equal(maps.Answer.Count, json.RootElement.GetProperty("answerTokens").GetInt32());
        return loaded;
    }

    /// <summary>The text after the video.</summary>
    private static string Question(Trace trace)
    {
        var user = ActivationMaps.Compute(trace).Layout;
        var end = user.VisionBlocks[^1].EndPosition;
        return string.Concat(
            user.ContextPositions.Where(position => position > end)
                .Select(position => trace.FindText(trace.TokenIds[position])!)
        );
    }

    private Task Fails(string message, params string[] arguments) => Fails(BadInput, message, arguments);

    private async Task Fails(int exitCode, string message, params string[] arguments)
    {
        var before = Directory.EnumerateFileSystemEntries(_folder.Path).Order().ToArray();
        var run = await CommandRun.Of([
            "explain",
            .. arguments,
            "-o",
            _folder.File("report.html"),
            "-t",
            "1",
            "-n",
            "2",
        ]);
        run.AssertFails(exitCode, message);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.Path).Order());
    }
}
