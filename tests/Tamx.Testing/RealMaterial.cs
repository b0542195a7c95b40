namespace Tamx.Testing;

/// <summary>
/// Output of real models, and real frames. They are no part of the project: <c>shared/real</c> beside it.
/// </summary>
public static class RealMaterial
{
    /// <summary>The path of a file or folder of it; skips the test where it is not at hand.</summary>
    public static string Find(string name)
    {
        var path = Path.Combine(SharedFolder(), "real", name);
        Assert.SkipUnless(Path.Exists(path), $"Needs {path} (TAMX_SHARED names another place for 'shared').");
        return path;
    }

    private static string SharedFolder()
    {
        if (Environment.GetEnvironmentVariable("TAMX_SHARED") is { } folder)
        {
            return folder;
        }

        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Tamx.sln")))
        {
            directory = directory.Parent;
        }

        return Path.Combine(directory?.Parent?.FullName ?? "", "shared");
    }
}
