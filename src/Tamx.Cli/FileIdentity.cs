using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Cli;

/// <summary>The file that a path leads to, whatever its links and names.</summary>
internal static partial class FileIdentity
{
    private static readonly StringComparison PathComparison = OperatingSystem.IsLinux()
        ? StringComparison.Ordinal
        : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether two paths lead to one file, or would if it existed.</summary>
    public static bool AreSame(string one, string other)
    {
        var (first, second) = (Of(one), Of(other));
        return first is null && second is null
            ? RealPath(Path.GetFullPath(one)).Equals(RealPath(Path.GetFullPath(other)), PathComparison)
            : first is not null && first.Equals(second, PathComparison);
    }

    /// <summary>Whether a path lies inside a folder.</summary>
    public static bool IsWithin(string path, string folder) =>
        RealPath(Path.GetFullPath(path))
            .StartsWith(
                Path.TrimEndingDirectorySeparator(RealPath(Path.GetFullPath(folder))) + Path.DirectorySeparatorChar,
                PathComparison
            );

    /// <summary>The same for two paths that lead to one file; null if there is none.</summary>
    private static string? Of(string path)
    {
        var full = Path.GetFullPath(path);
        return OperatingSystem.IsLinux() ? OfInode(full)
            : File.Exists(full) || Directory.Exists(full) ? RealPath(full)
            : null;
    }

    /// <summary>A full path with all links followed. If they form a circle, the path itself.</summary>
    private static string RealPath(string full)
    {
        try
        {
            return InputFile.RealPath(full);
        }
        catch (IOException)
        {
            return full;
        }
    }

    private static unsafe string? OfInode(string full)
    {
        // struct statx, the same on all CPUs: inode (u64) at 32, device numbers (u32 each) at 136 and 140.
        const int CurrentFolder = -100;
        const uint Inode = 0x100;
        var result = stackalloc byte[256];
        return GetStatus(CurrentFolder, Encoding.UTF8.GetBytes(full + '\0'), 0, Inode, result) == 0
            ? $"{Unsafe.ReadUnaligned<ulong>(result + 136)}:{Unsafe.ReadUnaligned<ulong>(result + 32)}"
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe partial int GetStatus(int folder, byte[] path, int flags, uint mask, byte* result);
}
