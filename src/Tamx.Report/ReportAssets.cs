using System.Reflection;

namespace Tamx.Report;

/// <summary>The report's style sheet and modules, for another page that shows a growing report.</summary>
/// <remarks>
/// The modules import each other by relative names (<c>./mount.js</c>), so serve them side by side. The entry is
/// <c>live.js</c>. It takes the documents of <see cref="GrowingReport"/>, and finished reports.
/// </remarks>
public static class ReportAssets
{
    private static readonly string[] OfTheFileAlone = ["page.html", "main.js", "unpack.js"];

    /// <summary>The files' names: <c>page.css</c> and the modules.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly
            .GetExecutingAssembly()
            .GetManifestResourceNames()
            .Except(OfTheFileAlone)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A file's bytes (UTF-8).</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such file.</exception>
    public static byte[] Read(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Names.Contains(name))
        {
            throw new ArgumentException($"the report has no file named {name}", nameof(name));
        }

        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
