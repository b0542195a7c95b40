using System.Reflection;
using Microsoft.AspNetCore.Http;
using Tamx.Report;

namespace Tamx.Web.Api;

/// <summary>
/// The page and its modules: resources of this assembly, and those of the report's, which show the results.
/// </summary>
/// <remarks>
/// <c>/</c> is index.html, <c>/assets/NAME</c> a file of Page/, <c>/assets/report/NAME</c> a module of the report's
/// Page/.
/// </remarks>
internal sealed class PageFiles
{
    /// <summary>What the names of the page's resources begin with.</summary>
    private const string Folder = "page/";

    private const string Index = "/assets/index.html";

    private static readonly Dictionary<string, string> MediaTypes = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".ico"] = "image/x-icon",
    };

    private readonly Dictionary<string, (byte[] Content, string MediaType)> _files = new(StringComparer.Ordinal);

    private readonly TimeSpan _patience;

    /// <param name="patience">How long to wait for the client.</param>
    public PageFiles(TimeSpan patience)
    {
        _patience = patience;
        var names = typeof(PageFiles).Assembly.GetManifestResourceNames();
        foreach (var name in names.Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            Add($"/assets/{name[Folder.Length..]}", ReadResource(name));
        }

        foreach (var name in ReportAssets.Names)
        {
            Add($"/assets/report/{name}", ReportAssets.Read(name));
        }
    }

    /// <summary>Sends the file that the request's path names. Only files in the dictionary are found.</summary>
    public async Task SendAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (string.IsNullOrEmpty(path))
        {
            // What the page names is relative to its own address, which has to be a folder's.
            context.Response.Redirect(context.Request.PathBase + "/" + context.Request.QueryString);
            return;
        }

        path = path == "/" ? Index : path;
        if (!_files.TryGetValue(path, out var file))
        {
            throw NotFound();
        }

        SecurityHeaders.AllowPage(context.Response);
        context.Response.ContentType = file.MediaType;
        context.Response.ContentLength = file.Content.Length;
        await new ClientWriter(context, _patience).WriteAsync(file.Content);
    }

    public static ApiException NotFound() => new(404, "no_such_page", "there is nothing at this address");

    private static byte[] ReadResource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    private void Add(string path, byte[] content) => _files[path] = (content, MediaTypes[Path.GetExtension(path)]);
}
