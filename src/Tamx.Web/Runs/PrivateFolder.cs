namespace Tamx.Web.Runs;

#pragma warning disable RS0030 // The folder that the server's files lie in.

/// <summary>
/// The server's own folder below the system's temporary one. It is removed with the server; if the server was killed,
/// when the next one starts.
/// </summary>
internal sealed class PrivateFolder : IDisposable
{
    private const string Prefix = "tamx-serve-";
    private const string LockName = "lock";

    /// <summary>
    /// A folder without a lock that is younger than this may be another server's that is just starting.
    /// </summary>
    private static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(1);

    private readonly FileStream _lock;

    private PrivateFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    /// <summary>
    /// Makes a folder that only this user can look into, and removes those of servers that are no more.
    /// </summary>
    /// <exception cref="InvalidInputException">There is no place for it.</exception>
    public static PrivateFolder Create()
    {
        try
        {
            // On Unix it is made with mode 0700.
            var path = Directory.CreateTempSubdirectory(Prefix).FullName;
            var held = Hold(path, FileMode.CreateNew);
            RemoveAbandoned();
            return new PrivateFolder(path, held);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var parent = System.IO.Path.GetTempPath();
            throw new InvalidInputException(
                $"no temporary folder can be made in {parent}: {e.Message} (TMPDIR names another place)",
                e
            );
        }
    }

    /// <summary>Makes a folder within it.</summary>
    /// <returns>Its path.</returns>
    public string Add(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public void Dispose()
    {
        _lock.Dispose();
        Remove(Path);
    }

    /// <summary>Removes a folder with all in it, as far as that can be done.</summary>
    public static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file is in use (Windows), or gone already. The next server looks again when it starts.
        }
    }

    private static FileStream Hold(string folder, FileMode mode) =>
        new(System.IO.Path.Combine(folder, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static void RemoveAbandoned()
    {
        foreach (var folder in new DirectoryInfo(System.IO.Path.GetTempPath()).EnumerateDirectories(Prefix + "*"))
        {
            // A link is nobody's folder.
            if (folder.LinkTarget is null && IsAbandoned(folder))
            {
                Remove(folder.FullName);
            }
        }
    }

    private static bool IsAbandoned(DirectoryInfo folder)
    {
        try
        {
            // The system lets go of the lock when a process ends, however it ends.
            using var held = Hold(folder.FullName, FileMode.Open);
            return true;
        }
        catch (FileNotFoundException)
        {
            return DateTime.UtcNow - folder.CreationTimeUtc > LeastAge;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
