namespace Tamx;

/// <summary>The folder in which programs keep what they can make again, for this user.</summary>
internal static class CacheFolder
{
    /// <summary>
    /// <c>$XDG_CACHE_HOME</c> where it is a full path, else what the system has: <c>~/.cache</c>,
    /// <c>~/Library/Caches</c> or the local application data.
    /// </summary>
    public static string Path
    {
        get
        {
            if (OperatingSystem.IsWindows())
            {
                return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            }

            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return
                Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
                && System.IO.Path.IsPathFullyQualified(cache)
                ? cache
                : System.IO.Path.Combine(home, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
        }
    }
}
