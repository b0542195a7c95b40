using System.Text.RegularExpressions;

namespace Tamx.Llama.Tests.Interop;

/// <summary>The native files beside a program are those of one platform: the packages hold eight, of 234 MB.</summary>
public sealed class OutputFilesTests
{
    [Fact]
    public void Runtimes_NativeFiles_AreOfThisPlatformAlone()
    {
        var root = Path.Combine(AppContext.BaseDirectory, "runtimes");
        string[] native =
        [
            .. Directory
                .EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar))
                .Where(steps => steps[1] == "native")
                .Select(steps => steps[0])
                .Distinct(),
        ];

        var platform = Assert.Single(native);
        Assert.Equal(Path.Combine(root, platform, "native"), LlamaRuntime.Directory);
    }

    /// <summary>What the list names and the folder lacks would be an error at the start.</summary>
    [Fact]
    public void DependencyList_ImageMagick_NamesTheOneFileThatIsThere()
    {
        var list = File.ReadAllText(Path.ChangeExtension(typeof(OutputFilesTests).Assembly.Location, ".deps.json"));

        var named = Assert.Single(Regex.Matches(list, "\"([^\"]*Magick\\.Native[^\"]*)\""));
        string[] found =
        [
            .. Directory
                .EnumerateFiles(AppContext.BaseDirectory, "*Magick.Native*", SearchOption.AllDirectories)
                .Select(file => Path.GetFileName(file)),
        ];
        Assert.Equal([Path.GetFileName(named.Groups[1].Value)], found);
    }
}
