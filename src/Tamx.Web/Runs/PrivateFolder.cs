using System.Security.Cryptography;

namespace Tamx.Web.Runs;

#pragma warning disable RS0030 // The folder that the server's files lie in.

/// <summary>
/// The server's own folder, below one that only this user can open. It is removed with the server; if the server was
/// killed, when the next one starts.
/// </summary>
internal sealed class PrivateFolder : IDisposable
{
    private const string Prefix = "run-";
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
    /// <param name="parent">Where; null for where servers have it.</param>
    /// <exception cref="InvalidInputException">There is no place for it.</exception>
    public static PrivateFolder Create(string? parent = null)
    {
        parent ??= UserFolder.Parent;
        try
        {
            var ours = UserFolder.Open(parent);
            var path = System.IO.Path.Combine(ours, Prefix + RandomNumberGenerator.GetHexString(16, lowercase: true));
            UserFolder.MakeFolder(path);
            var held = Hold(path, FileMode.CreateNew);
            RemoveAbandoned(ours);
            return new PrivateFolder(path, held);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"no folder for the server's files can be made in {parent}: {e.Message} (XDG_RUNTIME_DIR, which only "
                    + "this user can open, or XDG_CACHE_HOME names another place)",
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

    private static void RemoveAbandoned(string parent)
    {
        foreach (var folder in new DirectoryInfo(parent).EnumerateDirectories(Prefix + "*"))
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
