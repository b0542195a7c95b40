using System.Diagnostics;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

/// <summary>Videos through ffmpeg.</summary>
public sealed class VideoFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.mp4")]
    [InlineData("a.mkv")]
    [InlineData("a.avi")]
    [InlineData("a.ts")]
    public void FromFile_ThreeSeconds_SixFramesAsQwenTakesThem(string file)
    {
        TestVideos.Write(_folder.File(file), 3);
        var video = Video.FromFile(_folder.File(file));

        Assert.Equal((160, 120), (video.Width, video.Height));
        Assert.Equal(2, video.FramesPerSecond, 1e-4);
        FloatAssert.Equal(
            [0, 18 / 30.0, 36 / 30.0, 53 / 30.0, 71 / 30.0, 89 / 30.0],
            [.. video.Seconds],
            2e-3,
            "times"
        );
        Assert.Equal(6, video.Source.Read(default).Count());
    }

    /// <summary>Twenty frames, each all of one colour that tells its number.</summary>
    [Fact]
    public void Read_ChosenFrames_AreThoseOfTheirNumber()
    {
        TestVideos.Write(
            _folder.File("a.mkv"),
            2,
            "-vf",
            "trim=end_frame=20,format=rgb24,geq=r=N*12:g=N*12:b=N*12",
            "-c:v",
            "ffv1",
            "-pix_fmt",
            "bgr0"
        );
        var video = Video.FromFile(_folder.File("a.mkv"), new VideoSampling { MaxFrames = 8, FramesPerSecond = 100 });

        // 19 / 7 apart.
        Assert.Equal(
            [0, 3, 5, 8, 11, 14, 16, 19],
            video.Source.Read(default).Select(frame => (int)Math.Round(frame.Image.Pixels[5000] / 12.0))
        );
        FloatAssert.Equal(
            ((int[])[0, 3, 5, 8, 11, 14, 16, 19]).Select(i => i / 30.0).ToArray(),
            [.. video.Seconds],
            1e-3,
            "times"
        );
    }

    [Fact]
    public void FromFile_VariableFrameRate_TakesTheFramesOwnTimes()
    {
        // The first second at 30 frames, then every tenth alone.
        TestVideos.Write(_folder.File("a.mkv"), 3, "-vf", "select=lt(n\\,30)+not(mod(n\\,10))", "-vsync", "0");
        var video = Video.FromFile(_folder.File("a.mkv"));
        Assert.Equal(2.667, video.Seconds[^1], 1e-2);
        Assert.Equal(video.Seconds.Order(), video.Seconds);
        Assert.Equal(video.Seconds.Count, video.Source.Read(default).Count());
    }

    [Fact]
    public void FromFile_Turned_IsUpright()
    {
        TestVideos.Write(_folder.File("flat.mp4"), 0.5);
        Run(
            "ffmpeg",
            "-v",
            "error",
            "-i",
            _folder.File("flat.mp4"),
            "-c",
            "copy",
            "-metadata:s:v:0",
            "rotate=90",
            _folder.File("turned.mp4")
        );
        var video = Video.FromFile(_folder.File("turned.mp4"));
        Assert.Equal((120, 160), (video.Width, video.Height));
        var frame = video.Source.Read(default).First().Image;
        Assert.Equal((120, 160), (frame.Width, frame.Height));
    }

    [Theory]
    [InlineData("-foo.mp4")]
    [InlineData("http:foo.mp4")]
    [InlineData("concat:a|b.mp4")]
    [InlineData("frame%03d.mp4")]
    [InlineData("a b'\"$(x).mp4")]
    public void FromFile_OddName_IsALocalFileAllTheSame(string name)
    {
        TestVideos.Write(_folder.File("plain.mp4"), 0.5);
        File.Move(_folder.File("plain.mp4"), _folder.File(name));
        Assert.Equal(4, Video.FromFile(_folder.File(name)).Source.Read(default).Count());
    }

    [Theory]
    [InlineData("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplain.ts\n#EXT-X-ENDLIST\n")]
    [InlineData("a.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplain.ts\n#EXT-X-ENDLIST\n")]
    [InlineData("a.ffconcat", "ffconcat version 1.0\nfile plain.ts\n")]
    public void FromFile_ListOfOtherFiles_IsNotFollowed(string name, string content)
    {
        TestVideos.Write(_folder.File("plain.ts"), 0.5);
        File.WriteAllText(_folder.File(name), content);
        Assert.Contains(
            "no video that ffmpeg can decode",
            Message(() => Video.FromFile(_folder.File(name))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void FromFile_NoVideo_SaysSo()
    {
        TestVideos.SkipWithoutFfmpeg();
        File.WriteAllBytes(_folder.File("noise.mp4"), [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37))]);
        Assert.Contains(
            "noise.mp4: is no video",
            Message(() => Video.FromFile(_folder.File("noise.mp4"))),
            StringComparison.Ordinal
        );

        Run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", _folder.File("sound.mp4"));
        Assert.Contains(
            "it holds no frame",
            Message(() => Video.FromFile(_folder.File("sound.mp4"))),
            StringComparison.Ordinal
        );

        TestVideos.Write(_folder.File("whole.mp4"), 1);
        File.WriteAllBytes(_folder.File("cut.mp4"), File.ReadAllBytes(_folder.File("whole.mp4"))[..4000]);
        Assert.Contains(
            "cut.mp4: is no video",
            Message(() => Video.FromFile(_folder.File("cut.mp4"))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void FromFile_MissingOrEmpty_SaysSo()
    {
        Assert.Contains(
            "no such file",
            Message(() => Video.FromFile(_folder.File("nowhere.mp4"))),
            StringComparison.Ordinal
        );
        File.WriteAllBytes(_folder.File("empty.mp4"), []);
        Assert.Contains("is empty", Message(() => Video.FromFile(_folder.File("empty.mp4"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileHasBecomeShorter_NamesTheFrame()
    {
        TestVideos.Write(_folder.File("a.mkv"), 3);
        var video = Video.FromFile(_folder.File("a.mkv"));
        TestVideos.Write(_folder.File("a.mkv"), 1);
        Assert.Contains(
            "frame 36 cannot be decoded",
            Message(() => Assert.Equal(6, video.Source.Read(default).Count())),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Read_Cancelled_KillsFfmpeg()
    {
        TestVideos.Write(_folder.File("a.mkv"), 8);
        using var cancellation = new CancellationTokenSource();
        var video = Video.FromFile(_folder.File("a.mkv"), new VideoSampling { FramesPerSecond = 30 });
        using var frames = video.Source.Read(cancellation.Token).GetEnumerator();
        Assert.True(frames.MoveNext());
        Assert.NotEmpty(ChildrenThatRead("a.mkv"));

        await cancellation.CancelAsync();
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            while (frames.MoveNext())
            {
                // The frames that were under way already may still come.
            }
        });
        Assert.Empty(ChildrenThatRead("a.mkv"));
    }

    [Fact]
    public void Read_LeftHalfWay_KillsFfmpeg()
    {
        TestVideos.Write(_folder.File("left.mkv"), 8);
        var video = Video.FromFile(_folder.File("left.mkv"), new VideoSampling { FramesPerSecond = 30 });
        Assert.Equal(160, video.Source.Read(default).First().Image.Width);
        Assert.Empty(ChildrenThatRead("left.mkv"));
    }

    [Fact]
    public void Find_Program_LooksInThePathAlone()
    {
        Assert.Null(PipedProcess.Find("surely-no-such-program"));
        Assert.Null(PipedProcess.Find(Path.GetFileName(Environment.ProcessPath!) + "-none"));
    }

    /// <summary>
    /// Command lines of running ffmpegs that name a file of this test's folder. Linux only; elsewhere none is seen and
    /// the first use fails.
    /// </summary>
    private string[] ChildrenThatRead(string file) =>
        [
            .. Process
                .GetProcessesByName("ffmpeg")
                .Select(process =>
                {
                    try
                    {
                        return File.ReadAllText($"/proc/{process.Id}/cmdline");
                    }
                    catch (IOException)
                    {
                        return "";
                    }
                })
                .Where(line => line.Contains(_folder.File(file), StringComparison.Ordinal)),
        ];

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static string Message(Action action)
    {
        var message = Assert.ThrowsAny<InvalidInputException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
