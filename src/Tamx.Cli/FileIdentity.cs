using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Cli;

/// <summary>The file that a path leads to, whatever its links and names.</summary>
/// <param name="Key">The same for two paths that lead to one file.</param>
/// <param name="IsOrdinary">False for devices, pipes and the like.</param>
internal readonly partial record struct FileIdentity(string Key, bool IsOrdinary)
{
    private static readonly StringComparison PathComparison = OperatingSystem.IsLinux()
        ? StringComparison.Ordinal
        : StringComparison.OrdinalIgnoreCase;

    /// <summary>The identity of an existing file; null if there is none.</summary>
    public static FileIdentity? Of(string path)
    {
        var full = Path.GetFullPath(path);
        if (OperatingSystem.IsLinux())
        {
            return OfInode(full);
        }

        return File.Exists(full) || Directory.Exists(full)
            ? new FileIdentity(RealPath(full), !full.StartsWith("/dev/", StringComparison.Ordinal))
            : null;
    }

    /// <summary>Whether two paths lead to one file, or would if it existed.</summary>
    public static bool AreSame(string one, string other)
    {
        var (first, second) = (Of(one), Of(other));
        return first is null && second is null
            ? RealPath(Path.GetFullPath(one)).Equals(RealPath(Path.GetFullPath(other)), PathComparison)
            : first is not null && second is not null && first.Value.Key.Equals(second.Value.Key, PathComparison);
    }

    /// <summary>Whether a path lies inside a folder.</summary>
    public static bool IsWithin(string path, string folder) =>
        RealPath(Path.GetFullPath(path))
            .StartsWith(
                Path.TrimEndingDirectorySeparator(RealPath(Path.GetFullPath(folder))) + Path.DirectorySeparatorChar,
                PathComparison
            );

    /// <summary>A full path with all links followed, as far as they exist.</summary>
    private static string RealPath(string full)
    {
        var root = Path.GetPathRoot(full)!;
        var real = root;
        foreach (
            var part in full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
        )
        {
            real = Path.Combine(real, part);
            FileSystemInfo entry = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            try
            {
                real = entry.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? real;
            }
            catch (IOException)
            {
                // The part does not exist, or its links form a circle. It keeps its name.
            }
        }

        return real;
    }

    private static unsafe FileIdentity? OfInode(string full)
    {
        // struct statx, the same on all CPUs: mode (u16) at 28, inode (u64) at 32, device numbers (u32 each) at 136 and
        // 140.
        const int CurrentFolder = -100;
        const uint TypeAndInode = 0x101;
        const int TypeMask = 0xF000;
        const int OrdinaryFile = 0x8000;
        const int Folder = 0x4000;
        var result = stackalloc byte[256];
        if (GetStatus(CurrentFolder, Encoding.UTF8.GetBytes(full + '\0'), 0, TypeAndInode, result) != 0)
        {
            return null;
        }

        var type = Unsafe.ReadUnaligned<ushort>(result + 28) & TypeMask;
        var inode = Unsafe.ReadUnaligned<ulong>(result + 32);
        var device = Unsafe.ReadUnaligned<ulong>(result + 136);
        return new FileIdentity($"{device}:{inode}", type is OrdinaryFile or Folder);
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe partial int GetStatus(int folder, byte[] path, int flags, uint mask, byte* result);
}
