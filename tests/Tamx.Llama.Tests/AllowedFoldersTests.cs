using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>Links and names by which a path may leave the folders that are allowed.</summary>
public sealed class AllowedFoldersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _allowed;

    public AllowedFoldersTests()
    {
        _allowed = Directory.CreateDirectory(_folder.File("allowed")).FullName;
        Directory.CreateDirectory(_folder.File("allowed/deep/er"));
        Directory.CreateDirectory(_folder.File("allowed-not/deep"));
        File.WriteAllText(_folder.File("allowed/a.png"), "a");
        File.WriteAllText(_folder.File("allowed/deep/er/b.png"), "b");
        File.WriteAllText(_folder.File("allowed-not/deep/secret.png"), "c");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("allowed/a.png", "allowed/a.png")]
    [InlineData("allowed/deep/../deep/er/./b.png", "allowed/deep/er/b.png")]
    [InlineData("allowed-not/../allowed/a.png", "allowed/a.png")]
    [InlineData("allowed", "allowed")]
    [InlineData("allowed/not there.png", "allowed/not there.png")]
    public void Resolve_PathInside_IsItsRealPath(string path, string expected) =>
        Assert.Equal(Real(expected), new AllowedFolders([_allowed]).Resolve(_folder.File(path)));

    [Theory]
    [InlineData("allowed-not/deep/secret.png")]
    [InlineData("allowed/../allowed-not/deep/secret.png")]
    [InlineData("")]
    [InlineData("ALLOWED/a.png")]
    public void Resolve_PathOutside_IsRefused(string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && path.StartsWith('A'), "Needs names whose case matters.");
        var exception = Assert.Throws<InvalidInputException>(() =>
            new AllowedFolders([_allowed]).Resolve(_folder.File(path))
        );
        Assert.Contains("is outside the folders that may be opened", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("allowed/file.png", "../allowed-not/deep/secret.png", "allowed/file.png")]
    [InlineData("allowed/up", "..", "allowed/up/allowed-not/deep/secret.png")]
    [InlineData("allowed/up", "../allowed-not", "allowed/up/deep/secret.png")]
    [InlineData("allowed/up", "../allowed-not/deep", "allowed/up/../up/secret.png")]
    public void Resolve_LinkThatLeadsAway_IsRefused(string link, string target, string path)
    {
        Link(link, target);
        Assert.True(File.Exists(_folder.File(path)));

        Assert.Throws<InvalidInputException>(() => new AllowedFolders([_allowed]).Resolve(_folder.File(path)));
    }

    [Fact]
    public void Resolve_LinkThroughALink_IsFollowedToTheEnd()
    {
        // The last target is reached by a folder that is a link itself.
        Link("allowed/away", "../allowed-not");
        Link("allowed/deep/c.png", "../away/deep/secret.png");
        Link("allowed-not/back", "../allowed");
        Link("d.png", "allowed-not/back/a.png");
        var folders = new AllowedFolders([_allowed]);

        Assert.Throws<InvalidInputException>(() => folders.Resolve(_folder.File("allowed/deep/c.png")));
        Assert.Equal(Real("allowed/a.png"), folders.Resolve(_folder.File("d.png")));
    }

    [Fact]
    public void Resolve_FolderThatIsALink_AllowsItsTarget()
    {
        Link("alias", "allowed");
        var folders = new AllowedFolders([_folder.File("alias")]);

        Assert.Equal(Real("allowed/a.png"), folders.Resolve(_folder.File("allowed/a.png")));
        Assert.Equal(Real("allowed/a.png"), folders.Resolve(_folder.File("alias/a.png")));
    }

    [Fact]
    public void Resolve_LinksInACircle_AreAFault()
    {
        Link("allowed/one", "two");
        Link("allowed/two", "one");

        var exception = Assert.Throws<InvalidInputException>(() =>
            new AllowedFolders([_allowed]).Resolve(_folder.File("allowed/one"))
        );
        Assert.Contains("circle", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_AllowedFile_IsThatFileAlone()
    {
        var folders = new AllowedFolders([_folder.File("allowed/a.png")]);

        Assert.Equal(Real("allowed/a.png"), folders.Resolve(_folder.File("allowed/a.png")));
        Assert.Throws<InvalidInputException>(() => folders.Resolve(_folder.File("allowed/deep/er/b.png")));
    }

    [Theory]
    [InlineData("allowed/a.png")]
    [InlineData("/etc/hostname")]
    [InlineData("a\0b")]
    public void Resolve_NothingAllowed_IsRefused(string path) =>
        Assert.Throws<InvalidInputException>(() => AllowedFolders.None.Resolve(_folder.File(path)));

    [Fact]
    public void Resolve_RootOfTheFileSystem_AllowsAll() =>
        Assert.Equal(
            Real("allowed/a.png"),
            new AllowedFolders([Path.GetPathRoot(_allowed)!]).Resolve(_folder.File("allowed/a.png"))
        );

    private string Real(string path) => InputFile.RealPath(_folder.File(path));

    private void Link(string link, string target) => File.CreateSymbolicLink(_folder.File(link), target);
}
