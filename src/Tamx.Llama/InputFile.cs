using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx;

/// <summary>Opens files that a user names.</summary>
/// <remarks>Opening a pipe waits for a writer, for ever; a device has no end. Neither is opened.</remarks>
public static partial class InputFile
{
    // Types of the mode of a file (stat.h).
    private const int OrdinaryFile = 0x8000;
    private const int Folder = 0x4000;

    /// <summary>Opens a file for reading, without a buffer.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">There is no such file, it cannot be read, or it is no regular file.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static FileStream Open(string path)
    {
        RequireRegular(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
    }

    /// <inheritdoc cref="Open"/>
    /// <summary>Reads a whole file.</summary>
    public static byte[] ReadAllBytes(string path)
    {
        RequireRegular(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>Refuses what is there but no file or folder. What is not there is left to whoever opens it.</summary>
    /// <param name="path">The path.</param>
    /// <exception cref="IOException">It is a pipe, a socket or a device.</exception>
    public static void RequireRegular(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (IsSpecial(path))
        {
            throw new IOException("it is a pipe, a socket or a device; a regular file is needed");
        }
    }

    /// <summary>Whether a path leads to a pipe, a socket or a device. False if there is nothing.</summary>
    /// <param name="path">The path.</param>
    public static bool IsSpecial(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        if (OperatingSystem.IsLinux())
        {
            return TypeOf(path) is not (null or OrdinaryFile or Folder);
        }

        return Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);
    }

    /// <summary>The full path of what a path leads to, with every link on the way followed.</summary>
    /// <remarks>A part that does not exist keeps its name.</remarks>
    /// <param name="path">The path.</param>
    /// <exception cref="IOException">Its links form a circle.</exception>
    public static string RealPath(string path)
    {
        // As many as Linux follows.
        const int MostLinks = 40;
        ArgumentException.ThrowIfNullOrEmpty(path);
        var left = new Stack<string>();
        var real = Start(Path.GetFullPath(path));
        for (var links = 0; left.TryPop(out var part); )
        {
            var next = Path.Join(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
            }
            else if (++links > MostLinks)
            {
                throw new IOException($"{path}: its links form a circle");
            }
            else
            {
                real = Start(Path.GetFullPath(target, real));
            }
        }

        return real;

        // Its parts come before those that are left.
        string Start(string full)
        {
            var root = Path.GetPathRoot(full)!;
            char[] separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];
            foreach (var part in full[root.Length..].Split(separators, StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                left.Push(part);
            }

            return root;
        }
    }

    /// <summary>The type bits of a file's mode, links followed; null if there is none.</summary>
    private static unsafe int? TypeOf(string path)
    {
        // struct statx, the same on all CPUs: mode (u16) at 28.
        const int CurrentFolder = -100;
        const uint TypeOnly = 1;
        const int TypeMask = 0xF000;
        var result = stackalloc byte[256];
        return GetStatus(CurrentFolder, Encoding.UTF8.GetBytes(path + '\0'), 0, TypeOnly, result) == 0
            ? Unsafe.ReadUnaligned<ushort>(result + 28) & TypeMask
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe partial int GetStatus(int folder, byte[] path, int flags, uint mask, byte* result);
}
