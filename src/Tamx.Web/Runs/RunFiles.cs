namespace Tamx.Web;

/// <summary>The files of a finished run in its folder, and what a caller gets them as.</summary>
internal static class RunFiles
{
    public const string Report = "report.html";
    public const string Trace = "trace.safetensors";
    public const string Maps = "maps.json";

    /// <summary>Begin of the names of uploaded videos, which ffmpeg reads from here while the run lasts.</summary>
    public const string VideoPrefix = "video-";

    /// <summary>Media types of the files that may be fetched.</summary>
    public static IReadOnlyDictionary<string, string> MediaTypes { get; } = new Dictionary<string, string>
    {
        [Report] = "text/html; charset=utf-8",
        [Trace] = "application/octet-stream",
        [Maps] = "application/json",
    };
}
