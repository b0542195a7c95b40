namespace Tamx.Web.Runs;

#pragma warning disable RS0030 // The files of runs, under names that are made here.

/// <summary>
/// A run's files, in its folder within the server's private one. No part of their paths comes from a client.
/// </summary>
/// <param name="folder">The folder.</param>
internal sealed class RunFiles(string folder)
{
    public const string Report = "report.html";
    public const string Trace = "trace.safetensors";
    public const string Maps = "maps.json";

    /// <summary>Uploaded videos, which ffmpeg reads from here while the run lasts.</summary>
    private const string VideoPrefix = "video-";

    /// <summary>The files that may be fetched, with their media types.</summary>
    public static IReadOnlyDictionary<string, string> MediaTypes { get; } =
        new Dictionary<string, string>
        {
            [Report] = "text/html; charset=utf-8",
            [Trace] = "application/octet-stream",
            [Maps] = "application/json",
        };

    public string Folder { get; } = folder;

    /// <summary>Bytes of all files; null if the folder is gone.</summary>
    public long? TotalBytes
    {
        get
        {
            try
            {
                return new DirectoryInfo(Folder).EnumerateFiles().Sum(file => file.Length);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>Makes the folder of a run.</summary>
    public static RunFiles Create(string parent, string id) =>
        new(Directory.CreateDirectory(Path.Combine(parent, id)).FullName);

    /// <summary>The path of a file to write.</summary>
    /// <param name="name">One of the names above.</param>
    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Opens a file to be sent; null if it is gone.</summary>
    /// <param name="name">One of the names above.</param>
    public Stream? Open(string name)
    {
        const FileShare Share = FileShare.Read | FileShare.Delete;
        try
        {
            return new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, Share, 1 << 16, useAsync: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Writes an uploaded video and returns its path.</summary>
    public string SaveVideo(int index, byte[] content)
    {
        var path = PathOf($"{VideoPrefix}{index}");
        File.WriteAllBytes(path, content);
        return path;
    }

    public void RemoveVideos()
    {
        try
        {
            foreach (var video in Directory.EnumerateFiles(Folder, VideoPrefix + "*"))
            {
                File.Delete(video);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone, or cannot be written. What can be removed goes with the run.
        }
    }

    public void Remove() => PrivateFolder.Remove(Folder);
}
