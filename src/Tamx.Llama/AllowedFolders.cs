namespace Tamx;

/// <summary>The folders whose files may be opened for somebody who is not to see any others.</summary>
/// <remarks>Links are followed before paths are compared, those of the folders too. Immutable.</remarks>
public sealed class AllowedFolders
{
    private static readonly StringComparison Comparison = OperatingSystem.IsWindows()
        ? StringComparison.OrdinalIgnoreCase
        : StringComparison.Ordinal;

    private readonly string[] _folders;

    /// <summary>Allows folders, and what is below them.</summary>
    /// <param name="folders">The folders; a file stands for itself. None allows nothing.</param>
    /// <exception cref="InvalidInputException">A folder's links form a circle.</exception>
    public AllowedFolders(IEnumerable<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        _folders = [.. folders.Select(RealPath)];
    }

    /// <summary>No folder.</summary>
    public static AllowedFolders None { get; } = new([]);

    /// <summary>The real path of a file in one of the folders. Open that: it has no links that may lead away.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It is in none of the folders.</exception>
    public string Resolve(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var real = RealPath(path);
        return _folders.Any(folder => IsWithin(real, folder))
            ? real
            : throw new InvalidInputException(
                _folders.Length == 0
                    ? $"{path}: no files may be opened here; give the picture itself (data:image/png;base64,...)"
                    : $"{path}: is outside the folders that may be opened ({string.Join(", ", _folders)})"
            );
    }

    private static bool IsWithin(string real, string folder) =>
        real.Equals(folder, Comparison)
        || real.StartsWith(
            Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar,
            Comparison
        );

    private static string RealPath(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new InvalidInputException("a path has a zero byte");
        }

        try
        {
            return InputFile.RealPath(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }
}
