using System.Diagnostics;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>A pipe waits for a writer for ever, and a device has no end. No input may be one.</summary>
public class InputFileTests
{
    public static TheoryData<string> Readers => [.. ReadersByName.Keys];

    private static readonly Dictionary<string, Action<string>> ReadersByName = new()
    {
        ["model"] = path => GgufFile.Open(path),
        ["picture"] = path => RgbImage.Open(path),
        ["video"] = path => Video.FromFile(path),
        ["conversation"] = path => ChatJson.Open(path),
        ["trace"] = path => TraceFile.Load(path),
    };

    [Theory]
    [MemberData(nameof(Readers))]
    public void Open_PipeOrDeviceOrLinkToOne_IsRefusedAtOnce(string reader)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux.");
        using var folder = new TemporaryFolder();
        var pipe = folder.File("pipe.mp4");
        var link = folder.File("link.mp4");
        Process.Start("mkfifo", pipe)!.WaitForExit();
        File.CreateSymbolicLink(link, pipe);

        Assert.All(
            [pipe, link, "/dev/zero"],
            path =>
            {
                var message = Assert.ThrowsAny<InvalidInputException>(() => ReadersByName[reader](path)).Message;
                Assert.StartsWith(path, message, StringComparison.Ordinal);
                Assert.EndsWith("a regular file is needed", message, StringComparison.Ordinal);
            }
        );
    }
}
