using System.Text;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>Bad input ends in one line that says what and where, the right exit code, and no file.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int Usage = 2;
    private const int BadInput = 3;
    private const int MissingPart = 4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int> Cuts => [.. Enumerable.Range(0, 20)];

    [Fact]
    public Task Model_Missing() => Fails(BadInput, "nowhere.gguf", "-m", _folder.File("nowhere.gguf"), "-p", "Hi");

    [Fact]
    public Task Model_NotGguf() =>
        Fails(
            BadInput,
            "text.gguf",
            "-m",
            Write("text.gguf", Encoding.UTF8.GetBytes(new string('x', 5000))),
            "-p",
            "Hi"
        );

    [Theory]
    [MemberData(nameof(Cuts))]
    public Task Model_TruncatedAt20Places(int cut)
    {
        var bytes = File.ReadAllBytes(DemoFiles.Model);
        return Fails(
            BadInput,
            "cut.gguf",
            "-m",
            Write("cut.gguf", bytes[..(int)((long)bytes.Length * cut / 20)]),
            "-p",
            "Hi"
        );
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public Task Projector_TruncatedAt20Places(int cut)
    {
        var bytes = File.ReadAllBytes(DemoFiles.Projector);
        return Fails(
            BadInput,
            "cut.gguf",
            "-m",
            DemoFiles.Model,
            "--mmproj",
            Write("cut.gguf", bytes[..(int)((long)bytes.Length * cut / 20)]),
            "--image",
            DemoFiles.Picture
        );
    }

    [Fact]
    public Task Model_AbsurdKeyCount()
    {
        // magic, version 3, tensor count, 2^60 keys
        byte[] header =
        [
            .. "GGUF"u8,
            .. BitConverter.GetBytes(3u),
            .. BitConverter.GetBytes(1UL),
            .. BitConverter.GetBytes(1UL << 60),
            .. new byte[64],
        ];
        return Fails(BadInput, "keys.gguf", "-m", Write("keys.gguf", header), "-p", "Hi");
    }

    [Fact]
    public Task Model_LaterPartOfASplit()
    {
        var first = TestModels.Qwen3VlSplit.ModelPath;
        return Fails(
            BadInput,
            "is not the first part; name qwen3vl-split-00001-of-00003.gguf instead",
            "-m",
            first.Replace("00001-of", "00002-of", StringComparison.Ordinal),
            "-p",
            "Hi"
        );
    }

    [Fact]
    public Task Model_PartOfASplitMissing()
    {
        var path = _folder.File("qwen3vl-split-00001-of-00003.gguf");
        File.Copy(TestModels.Qwen3VlSplit.ModelPath, path);
        return Fails(BadInput, "qwen3vl-split-00002-of-00003.gguf: no such file", "-m", path, "-p", "Hi");
    }

    [Fact]
    public Task Model_ProjectorInItsPlace() => Fails(BadInput, "mmproj", "-m", DemoFiles.Projector, "-p", "Hi");

    [Fact]
    public Task Projector_OfAnotherModel() =>
        Fails(
            BadInput,
            "another model",
            "-m",
            DemoFiles.Model,
            "--mmproj",
            TestModels.Qwen25Vl.ProjectorPath,
            "--image",
            DemoFiles.Picture
        );

    [Fact]
    public Task Projector_ModelInItsPlace() =>
        Fails(BadInput, ".gguf", "-m", DemoFiles.Model, "--mmproj", DemoFiles.Model, "--image", DemoFiles.Picture);

    [Fact]
    public Task TextModel_WithPicture() =>
        Fails(BadInput, "--mmproj", "-m", DemoFiles.Model, "--image", DemoFiles.Picture);

    [Fact]
    public Task Model_UnsupportedArchitecture()
    {
        // The architecture's name stands at the start of the file.
        var bytes = File.ReadAllBytes(DemoFiles.Model);
        var at = bytes.AsSpan().IndexOf("qwen3vl"u8);
        "llama00"u8.CopyTo(bytes.AsSpan(at));
        return Fails(BadInput, "llama00", "-m", Write("other.gguf", bytes), "-p", "Hi");
    }

    [Fact]
    public Task Picture_Missing() => Fails(BadInput, "nowhere.jpg", "--image", _folder.File("nowhere.jpg"));

    [Fact]
    public Task Picture_Unreadable() => Fails(BadInput, "noise.png", "--image", Write("noise.png", new byte[3000]));

    [Fact]
    public Task Picture_OneByOne() => Fails(BadInput, "1 x 1", "--image", Write("dot.bmp", Bitmap(1, 1)));

    [Fact]
    public Task Picture_60000PixelsWide() =>
        Fails(BadInput, "60,000", "--image", Write("wide.bmp", Bitmap(60_000, 40)));

    [Fact]
    public Task Context_TooSmall() => Fails(BadInput, "-c", "-c", "64");

    [Theory]
    [InlineData("no JSON", "is no JSON (line 1")]
    [InlineData("""{"role": "user", "content": "Hi"}""", "is no list of messages")]
    [InlineData("[]", "is no list of messages")]
    [InlineData("""[{"role": "robot", "content": "Hi"}]""", "message 0 has role \"robot\"")]
    [InlineData("""[{"role": "user", "content": [{"type": "smell"}]}]""", "message 0, part 0 has type \"smell\"")]
    [InlineData("""[{"role": "user", "content": [{"type": "image"}]}]""", "message 0, part 0 has no image")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image_url", "image_url": {"detail": "low"}}]}]""",
        "message 0, part 0 has no image_url.url"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image", "image": ""}]}]""",
        "message 0, part 0 has an image without data"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image", "image": "data:image/png;base64,"}]}]""",
        "message 0, part 0"
    )]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "nowhere.png"}]}]""", "nowhere.png")]
    [InlineData(
        """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": ""}]""",
        "the answer to explain is empty"
    )]
    [InlineData(
        """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": []}]""",
        "the answer to explain is empty"
    )]
    [InlineData("""[{"role": "assistant", "content": "Hi"}]""", "the conversation is empty")]
    [InlineData(
        """[{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}]""",
        "message 1 is the system's and not the first"
    )]
    public Task Messages_Unusable(string json, string message) =>
        Fails(BadInput, message, "--messages", Write("chat.json", Encoding.UTF8.GetBytes(json)));

    [Fact]
    public Task Messages_AnswerWithPicture()
    {
        var picture = Convert.ToBase64String(Bitmap(64, 64));
        var json =
            $$"""[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "image", "image": "data:image/bmp;base64,{{picture}}"}]}]""";
        return Fails(BadInput, "it can hold text only", "--messages", Write("chat.json", Encoding.UTF8.GetBytes(json)));
    }

    /// <summary>The demo model was trained for few tokens; each of these pictures takes 144 cells.</summary>
    [Fact]
    public Task Pictures_MoreThanTheModelsContextHolds()
    {
        var picture = Write("large.bmp", Bitmap(384, 384));
        return Fails(
            BadInput,
            "use fewer or smaller pictures",
            [.. Enumerable.Repeat<string[]>(["--image", picture], 30).SelectMany(image => image)]
        );
    }

    [Fact]
    public Task Pictures_MoreThanTheContextAskedForHolds()
    {
        var picture = Write("large.bmp", Bitmap(384, 384));
        return Fails(BadInput, "use a context of at least", "-c", "256", "--image", picture, "--image", picture);
    }

    [Fact]
    public Task Kernel_Even() => Fails(BadInput, "kernel size 4", "--kernel", "4");

    [Fact]
    public Task Engine_NotInThisBuild() => Fails(MissingPart, "cuda", "--engine", "cuda");

    [Fact]
    public Task Output_FolderMissing() =>
        Fails(BadInput, "no folder", "-o", Path.Combine(_folder.Path, "deep", "report.html"));

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("-n", "0")]
    [InlineData("-n", "many")]
    [InlineData("--temp", "-1")]
    [InlineData("--temp", "NaN")]
    [InlineData("--temp", "warm")]
    [InlineData("--top-p", "2")]
    [InlineData("--min-p", "-0.5")]
    [InlineData("--presence-penalty", "101")]
    [InlineData("--frequency-penalty", "-101")]
    [InlineData("--repeat-penalty", "0")]
    [InlineData("--repeat-last-n", "-2")]
    [InlineData("--candidates", "-1")]
    [InlineData("-t", "0")]
    [InlineData("--profile", "other")]
    [InlineData("--mmproj", "alone.gguf")]
    [InlineData("--fps", "2")]
    [InlineData("--max-frames", "8")]
    [InlineData("--video")]
    public async Task Usage_WrongOptions(params string[] arguments)
    {
        var run = await CommandRun.Of(["explain", .. arguments]);
        run.AssertFails(Usage, "tamx: ");
    }

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_folder.File(name), content);
        return _folder.File(name);
    }

    private async Task Fails(int exitCode, string message, params string[] arguments)
    {
        var before = Directory.EnumerateFileSystemEntries(_folder.Path).Order().ToArray();
        string[] output = arguments.Contains("-o") ? [] : ["-o", _folder.File("report.html")];
        var run = await CommandRun.Of(["explain", .. output, "-t", "1", "-n", "2", .. arguments]);
        run.AssertFails(exitCode, message);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.Path).Order());
    }

    private static byte[] Bitmap(int width, int height) => Bitmap24.Encode(width, height, new byte[3 * width * height]);
}
