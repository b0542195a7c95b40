using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Web.Runs;

#pragma warning disable RS0030 // The folder that the folders of this user's servers lie in.

/// <summary>
/// Where the servers of this user keep their folders. Nobody else can reach into it: so what is removed in it by name
/// is ours.
/// </summary>
internal static partial class UserFolder
{
    private const string Name = "tamx-serve";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where it is: below <c>$XDG_RUNTIME_DIR</c> if that is ours, or the user's folder for caches.</summary>
    public static string Parent =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
        && Path.IsPathFullyQualified(runtime)
        && IsOurs(runtime)
            ? runtime
            : CacheFolder.Path;

    /// <summary>Makes it, or makes sure that it is what it should be.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="IOException">It cannot be made, or is not this user's alone.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static string Open(string parent)
    {
        var path = Path.Combine(parent, Name);
        MakeFolder(path);
        return IsOurs(path)
            ? path
            : throw new IOException($"{path} is not a folder of this user's alone (owner, mode 0700); remove it");
    }

    /// <summary>Makes a folder that only this user can look into.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
    }

    /// <summary>Whether a path is a folder, and no link to one, that only this user can open.</summary>
    private static bool IsOurs(string path)
    {
        var folder = new DirectoryInfo(path);
        return folder.Exists
            && folder.LinkTarget is null
            && (OperatingSystem.IsWindows() || (folder.UnixFileMode == OwnerOnly && IsOwner(path)));
    }

    private static unsafe bool IsOwner(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            // The folders of a user are nobody else's there.
            return true;
        }

        // struct statx, the same on all CPUs: user (u32) at 20.
        const int CurrentFolder = -100;
        const int NoFollow = 0x100;
        const uint User = 0x8;
        var result = stackalloc byte[256];
        return GetStatus(CurrentFolder, Encoding.UTF8.GetBytes(path + '\0'), NoFollow, User, result) == 0
            && Unsafe.ReadUnaligned<uint>(result + 20) == GetUser();
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static unsafe partial int GetStatus(int folder, byte[] path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUser();
}
