using System.Security.Cryptography;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>
/// Outputs never take the place of inputs, and what cannot be written is said before the model is loaded.
/// </summary>
public sealed class OutputTests : IDisposable
{
    private static readonly string Demo = Path.Combine(AppContext.BaseDirectory, "demo");
    private static readonly string Fixture = Path.Combine(
        AppContext.BaseDirectory,
        "fixtures",
        "tamx",
        "generate_top3",
        "input.safetensors"
    );

    /// <summary>Mounts of its own, and the right to make them.</summary>
    private static readonly string[] OwnMounts = ["--mount", "--user", "--map-root-user"];

    private readonly TemporaryFolder _folder = new();
    private readonly string _model;
    private readonly string _projector;
    private readonly string _picture;
    private readonly string _trace;

    public OutputTests()
    {
        _model = Copy(Path.Combine(Demo, "tamx-demo-grounded-f16.gguf"), "model.gguf");
        _projector = Copy(Path.Combine(Demo, "mmproj-tamx-demo-grounded-f16.gguf"), "mmproj.gguf");
        _picture = Copy(Path.Combine(Demo, "scene.jpg"), "scene.jpg");
        _trace = Copy(Fixture, "trace.safetensors");
    }

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Explain
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var option in (string[])["-o", "--save-trace", "--maps-json"])
            {
                foreach (
                    var file in (string[])
                        [
                            "model.gguf",
                            "mmproj.gguf",
                            "scene.jpg",
                            "chat.json",
                            "link.gguf",
                            "hard.gguf",
                            "sub/../model.gguf",
                            "linked/model.gguf",
                        ]
                )
                {
                    data.Add(option, file);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Explain))]
    public async Task Explain_OutputIsAnInput_IsRefused(string option, string file)
    {
        Directory.CreateDirectory(_folder.File("sub"));
        File.CreateSymbolicLink(_folder.File("link.gguf"), _model);
        Directory.CreateSymbolicLink(_folder.File("linked"), _folder.Path);
        if (file == "hard.gguf" && !TryHardLink(_model, _folder.File(file)))
        {
            return;
        }

        var chat = _folder.File("chat.json");
        File.WriteAllText(
            chat,
            """[{"role":"user","content":[{"type":"image","image":"scene.jpg"},{"type":"text","text":"What is it?"}]}]"""
        );
        string[] question = file == "scene.jpg" ? ["--image", _picture] : ["--messages", chat];
        await RefusedAndUntouched(
            [
                "explain",
                "-m",
                _model,
                "--mmproj",
                _projector,
                .. question,
                "-o",
                _folder.File("report.html"),
                option,
                _folder.File(file),
            ],
            2
        );
    }

    /// <summary>No option names these, and still they are nobody's place for an output.</summary>
    [Theory]
    [InlineData("scene.jpg", "is a picture, which tamx does not replace")]
    [InlineData("mmproj.gguf", "is a model (GGUF), which tamx does not replace")]
    [InlineData("clip.mp4", "is a video, which tamx does not replace")]
    public async Task Report_OutputIsWhatNoCommandWrites_IsRefused(string file, string message)
    {
        File.WriteAllBytes(_folder.File("clip.mp4"), [0, 0, 0, 24, .. "ftypisom"u8, 0, 0]);
        await RefusedAndUntouched(["report", _trace, "-o", _folder.File(file)], 2, message);
    }

    [Fact]
    public Task Maps_OutputIsTheTrace_IsRefused() =>
        RefusedAndUntouched(["maps", _trace, "-o", _trace], 2, "would take the place of what the command reads");

    [Fact]
    public Task Report_OutputIsTheTrace_IsRefused() =>
        RefusedAndUntouched(["report", _trace, "-o", _trace], 2, "would take the place of what the command reads");

    [Fact]
    public Task Maps_TwoOutputsOfOneName_IsRefused() =>
        RefusedAndUntouched(
            ["maps", _trace, "-o", _folder.File("out"), "--maps-json", _folder.File("./out")],
            2,
            "--maps-json and -o name one file"
        );

    [Fact]
    public async Task Maps_ExportIntoTheFolderOfAnInputOfThatKind_IsRefused()
    {
        var folder = Directory.CreateDirectory(_folder.File("dump")).FullName;
        var input = Path.Combine(folder, "maps.json");
        File.Copy(_trace, input);
        var run = await CommandRun.Of([
            "maps",
            input,
            "-o",
            _folder.File("out.safetensors"),
            "--export",
            "json",
            "--out-dir",
            folder,
        ]);

        run.AssertFails(2, "a file of that name could replace");
        Assert.Equal(File.ReadAllBytes(_trace), File.ReadAllBytes(input));
    }

    [Fact]
    public Task Eval_ResumeIsTheModel_IsRefused() =>
        RefusedAndUntouched(
            ["eval", "-m", _model, "--mmproj", _projector, "--scenes", "1", "--resume", _model],
            2,
            "--resume"
        );

    [Fact]
    public async Task Report_Device_IsRefusedAndStaysADevice()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux's /dev/full.");

        // Moving a file to its place would make an ordinary file of it.
        (await CommandRun.Of(["report", _trace, "-o", "/dev/full"])).AssertFails(3, "/dev/full is no ordinary file");
        Assert.Throws<IOException>(() => File.WriteAllBytes("/dev/full", [1]));
    }

    [Fact]
    public async Task Report_FolderThatNobodyCanWriteIn_SaysSoFirst()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux's /proc.");

        // Not even root can write there.
        var run = await CommandRun.Of(["report", _trace, "-o", "/proc/self/report.html"]);

        run.AssertFails(3, "nothing can be written in /proc/self");
        Assert.Contains("name another place", run.Error, StringComparison.Ordinal);
    }

    /// <summary>A disk of 64 kB: the probe fits, the report does not.</summary>
    [Fact]
    public async Task Explain_DiskFullInTheEnd_KeepsTheAnswer()
    {
        Assert.SkipUnless(
            await CanMountAsync(),
            "Needs unshare (Debian: util-linux), and to be allowed mounts of its own."
        );
        var disk = Directory.CreateDirectory(_folder.File("disk")).FullName;
        var report = Path.Combine(disk, "report.html");
        var run = await CommandRun.OfProgram(
            "unshare",
            [
                .. OwnMounts,
                "sh",
                "-c",
                $"mount -t tmpfs -o size=64k none '{disk}' && \"$0\" \"$@\"; code=$?; ls -A '{disk}'; exit $code",
                ChildProcess.Dotnet,
                typeof(CommandLine).Assembly.Location,
                "explain",
                "-n",
                "3",
                "-t",
                "1",
                "-o",
                report,
            ],
            _folder.Path
        );

        Assert.Contains("the answer is on stdout", run.Error, StringComparison.Ordinal);
        Assert.Contains("--save-trace", run.Error, StringComparison.Ordinal);
        Assert.Equal(3, run.ExitCode);

        // The answer, and no part of a file.
        Assert.NotEmpty(run.Output.Trim());
        Assert.Single(run.Output.TrimEnd().Split('\n'));
    }

    private async Task RefusedAndUntouched(string[] arguments, int exitCode, string message = "")
    {
        var before = Hashes();
        (await CommandRun.Of(arguments)).AssertFails(exitCode, message);
        Assert.Equal(before, Hashes());

        Dictionary<string, string> Hashes() =>
            Directory
                .GetFiles(_folder.Path)
                .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
    }

    private static async Task<bool> CanMountAsync()
    {
        try
        {
            var folder = Path.GetTempPath();
            string[] arguments = [.. OwnMounts, "mount", "-t", "tmpfs", "none", folder];
            return (await CommandRun.OfProgram("unshare", arguments, folder)).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static bool TryHardLink(string file, string link)
    {
        using var process = OperatingSystem.IsWindows() ? null : System.Diagnostics.Process.Start("ln", [file, link]);
        process?.WaitForExit();
        return process is { ExitCode: 0 };
    }

    private string Copy(string source, string name)
    {
        File.Copy(source, _folder.File(name));
        return _folder.File(name);
    }
}
