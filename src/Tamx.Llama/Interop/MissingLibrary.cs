using System.Text.RegularExpressions;

namespace Tamx.Llama.Interop;

/// <summary>Says in one line why the system's loader refused a library, and what to install if that is known.</summary>
internal static partial class MissingLibrary
{
    /// <summary>System libraries that llama.cpp's libraries need, and the Debian packages that have them.</summary>
    private static readonly Dictionary<string, string> DebianPackages = new()
    {
        ["libgomp.so.1"] = "libgomp1",
        ["libstdc++.so.6"] = "libstdc++6",
        ["libgcc_s.so.1"] = "libgcc-s1",
        ["libvulkan.so.1"] = "libvulkan1",
    };

    /// <param name="path">The library that was to be loaded.</param>
    /// <param name="loaderMessage">What the loader said, possibly in several lines.</param>
    internal static string Describe(string path, string loaderMessage)
    {
        var missing = NeededLibrary()
            .Matches(loaderMessage)
            .Select(match => match.Groups["name"].Value)
            .FirstOrDefault(name => name != Path.GetFileName(path));
        if (missing is not null)
        {
            return DebianPackages.TryGetValue(missing, out var package)
                ? $"llama.cpp needs {missing}, which this machine does not have; install it (Debian package {package})"
                : $"llama.cpp needs {missing}, which this machine does not have; {path} cannot be loaded without it";
        }

        if (NewerVersion().Match(loaderMessage) is { Success: true } version)
        {
            return $"{path} needs {version.Groups["name"].Value}, a newer system than this one";
        }

        var reason =
            loaderMessage
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .FirstOrDefault(line => line.Contains(path, StringComparison.Ordinal) && line.Length > path.Length + 2)
            ?? loaderMessage.Split('\n')[0];
        return $"{path} cannot be loaded (is it for another system or processor, or damaged?): {reason}";
    }

    [GeneratedRegex(
        @"(?<name>lib[\w+.-]+?\.so[\w.]*): cannot open shared object|"
            + @"Error loading shared library (?<name>lib[\w+.-]+?\.so[\w.]*)"
    )]
    private static partial Regex NeededLibrary();

    [GeneratedRegex(@"version [`'](?<name>[A-Z_]+[\d.]+)' not found")]
    private static partial Regex NewerVersion();
}
