namespace Tamx.Llama.Chat;

/// <summary>Finds the local file that a message names by a path or a <c>file:</c> URL.</summary>
internal static class LocalFile
{
    private const string Scheme = "file:";
    private const string Form = "file:///path or file://localhost/path";

    /// <summary>The path of the file.</summary>
    /// <remarks>
    /// Qwen's examples write <c>file://</c> before a path as it is; others encode it. A file that has the name as
    /// written goes first, then the one of the decoded name, then that without query and fragment (<c>?</c> and
    /// <c>#</c> in RFC 3986).
    /// </remarks>
    /// <param name="source">A path or URL.</param>
    /// <param name="folder">The folder that relative paths are relative to.</param>
    /// <exception cref="InvalidInputException">It is an address, or no name of a file.</exception>
    public static string Resolve(string source, string folder)
    {
        if (!source.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return source.Contains("://", StringComparison.Ordinal)
                ? throw new InvalidInputException(
                    "names an address; nothing is fetched from a network: give a local file or a data URL"
                )
                : Combine(folder, source);
        }

        var written = PathOf(source[Scheme.Length..]);
        var decoded = Uri.UnescapeDataString(written);
        var end = written.AsSpan().IndexOfAny('?', '#');
        var cut = end < 0 ? decoded : Uri.UnescapeDataString(written[..end]);
        string[] paths = [.. new[] { written, decoded, cut }.Select(path => Combine(folder, path))];
        return Array.Find(paths, Path.Exists) ?? paths[1];
    }

    /// <summary>
    /// The path of a URL whose scheme is cut off: <c>/path</c>, <c>///path</c> or <c>//localhost/path</c>.
    /// </summary>
    private static string PathOf(string rest)
    {
        const string Authority = "//";
        if (rest.StartsWith(Authority, StringComparison.Ordinal))
        {
            rest = rest[Authority.Length..];
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            var host = slash < 0 ? rest : rest[..slash];
            if (slash < 0 || !(host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)))
            {
                throw new InvalidInputException($"names a file of another machine; a file URL is {Form}");
            }

            rest = rest[slash..];
        }
        else if (!rest.StartsWith('/'))
        {
            throw new InvalidInputException($"has a file URL without a path; it is {Form}");
        }

        // file:///C:/folder
        return OperatingSystem.IsWindows() && rest.Length > 2 && rest[2] is ':' or '|' ? rest[1..] : rest;
    }

    private static string Combine(string folder, string path) =>
        path.Contains('\0', StringComparison.Ordinal)
            ? throw new InvalidInputException("names a file with a zero byte")
            : Path.Combine(folder, path);
}
