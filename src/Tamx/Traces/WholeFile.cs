namespace Tamx;

/// <summary>Files that appear whole or not at all: written beside their place, then moved there.</summary>
public static class WholeFile
{
    /// <summary>Writes a file; an existing one is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">
    /// Writes the content. If it throws, no new file is left and an existing one stays as it was.
    /// </param>
    /// <exception cref="IOException">
    /// The path is a folder, lies in a folder that does not exist, or cannot be written.
    /// </exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var (target, temporary) = Places(path);
        try
        {
            using (var stream = Create(temporary, isAsync: false))
            {
                write(stream);
            }

            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <inheritdoc cref="Write"/>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var (target, temporary) = Places(path);
        try
        {
            var stream = Create(temporary, isAsync: true);
            await using (stream.ConfigureAwait(false))
            {
                await write(stream).ConfigureAwait(false);
            }

            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static (string Target, string Temporary) Places(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? target;
        if (Directory.Exists(target) || !Directory.Exists(folder))
        {
            throw new IOException(
                Directory.Exists(target)
                    ? $"{path}: this is a folder, a file is needed"
                    : $"{path}: there is no folder {folder}"
            );
        }

        return (target, Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp"));
    }

    private static FileStream Create(string path, bool isAsync) =>
        new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16, isAsync);
}
