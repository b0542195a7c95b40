using System.Diagnostics;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests.Fuzz;

/// <summary>A folder with files of all kinds: right ones, damaged ones, and what is no file.</summary>
internal sealed class FuzzFiles : IDisposable
{
    /// <summary>Where generated lines write.</summary>
    public const string OutputFolder = "out";

    private static readonly string Fixture = Path.Combine(
        AppContext.BaseDirectory,
        "fixtures",
        "tamx",
        "generate_top3",
        "input.safetensors"
    );

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, (long Length, DateTime Written)> _start;
    private readonly Dictionary<string, byte[]> _contents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    public FuzzFiles()
    {
        Copy(DemoFiles.Picture, "picture.jpg");
        Copy(Fixture, "trace.safetensors");
        var trace = File.ReadAllBytes(Fixture);
        var picture = File.ReadAllBytes(DemoFiles.Picture);
        var model = File.ReadAllBytes(DemoFiles.Model);
        Write("model-cut.gguf", model[..(model.Length / 3)]);
        Write("model-head.gguf", model[..9]);
        Write("trace-cut.safetensors", trace[..(trace.Length / 2)]);
        Write("trace-head.safetensors", trace[..200]);
        Write("trace-swapped.safetensors", [.. trace.Reverse()]);
        Write("picture-cut.jpg", picture[..(picture.Length / 2)]);
        Write("dot.bmp", Bitmap24.Encode(1, 1, new byte[3]));
        Write("small.bmp", Bitmap24.Encode(32, 32, new byte[3 * 32 * 32]));
        Write("empty", []);
        Write("text.txt", "no file of any kind"u8.ToArray());
        Write("chat.json", """[{"role": "user", "content": "What?"}]"""u8.ToArray());
        Write("ünïcödé 图.txt", "x"u8.ToArray());
        Directory.CreateDirectory(At("folder"));
        Directory.CreateDirectory(At(OutputFolder));
        Directory.CreateDirectory(At("frames"));
        File.Copy(At("small.bmp"), At("frames/1.bmp"));
        File.Copy(At("small.bmp"), At("frames/2.bmp"));
        List<string> names =
        [
            .. Directory.EnumerateFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)),
            "missing",
            "missing/deep",
            "text.txt/below",
            "",
            " ",
            "-",
            ".",
            "..",
            new string('n', 300),
        ];
        if (!OperatingSystem.IsWindows())
        {
            (_links["link"], _links["dangling"], _links["circle"]) = (
                At("trace.safetensors"),
                At("nowhere"),
                At("circle")
            );
            foreach (var (link, target) in _links)
            {
                File.CreateSymbolicLink(At(link), target);
            }

            names.AddRange(["link", "dangling", "circle", "/dev/null", "/dev/full", "/dev/zero", "/proc/self/mem"]);
            using var made = Process.Start("mkfifo", [At("pipe")]);
            made.WaitForExit();
        }

        Names = names;
        _start = Entries();
    }

    /// <summary>The folder. Generated lines name their files relative to it.</summary>
    public string Folder => _folder.Path;

    /// <summary>Names of what is there, and of what is not.</summary>
    public IReadOnlyList<string> Names { get; }

    public void Dispose() => _folder.Dispose();

    /// <summary>Writes a file that belongs to the start of a run.</summary>
    public void Put(string name, byte[] content)
    {
        Write(name, content);
        var file = new FileInfo(At(name));
        _start[name] = (file.Length, file.LastWriteTimeUtc);
    }

    /// <summary>What a run changed, other than in the files that it was to write; and tidies up after it.</summary>
    public string? Difference(IReadOnlyCollection<string> outputs)
    {
        var now = Entries();
        string[] allowed = [.. outputs.Select(path => Path.GetRelativePath(Folder, Path.Combine(Folder, path)))];
        string[] replaced =
        [
            .. _start
                .Where(entry => !now.TryGetValue(entry.Key, out var after) || after != entry.Value)
                .Select(entry => entry.Key),
        ];
        string[] changed = [.. replaced.Except(allowed)];
        foreach (var name in replaced)
        {
            Restore(name);
        }

        string[] added = [.. now.Keys.Except(_start.Keys)];

        // A folder for outputs may be this one, and folders above it are made.
        var foreign = Array.Find(
            added,
            name =>
                !allowed.Any(output =>
                    output is "."
                    || name == output
                    || name.StartsWith(output + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                    || output.StartsWith(name + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                )
        );
        foreach (var name in added)
        {
            var path = At(name);
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
            else if (Path.Exists(path))
            {
                File.Delete(path);
            }
        }

        return changed is [var first, ..] ? $"{first} was changed"
            : foreign is not null ? $"{foreign} was written"
            : null;
    }

    private void Restore(string name)
    {
        File.Delete(At(name));
        if (_links.TryGetValue(name, out var target))
        {
            File.CreateSymbolicLink(At(name), target);
        }
        else
        {
            Write(name, _contents[name]);
        }

        _start[name] = Entries()[name];
    }

    private Dictionary<string, (long, DateTime)> Entries()
    {
        var entries = new Dictionary<string, (long, DateTime)>(StringComparer.Ordinal);
        foreach (var entry in new DirectoryInfo(Folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            entries[Path.GetRelativePath(Folder, entry.FullName)] = entry is FileInfo file
                ? (file.LinkTarget is null ? file.Length : 0, file.LastWriteTimeUtc)
                : default;
        }

        return entries;
    }

    private string At(string name) => _folder.File(name);

    private void Write(string name, byte[] content) => File.WriteAllBytes(At(name), _contents[name] = content);

    private void Copy(string source, string name) => Write(name, File.ReadAllBytes(source));
}
