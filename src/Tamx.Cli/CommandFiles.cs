using Tamx.Llama.Media;

namespace Tamx.Cli;

/// <summary>
/// The files that a command reads and writes, checked before the work begins. No output may replace an input or a
/// model, and each must be writable.
/// </summary>
internal sealed class CommandFiles
{
    private readonly List<string> _standardInput = [];
    private readonly List<string> _standardOutput = [];
    private readonly List<(string Option, string Path)> _inputs = [];
    private readonly List<(string Option, string Path)> _outputs = [];
    private readonly List<(string Option, string Folder, string[] Extensions)> _folders = [];

    /// <summary>What goes to standard output, which then has no room for anything else; null if nothing does.</summary>
    public string? TakesStandardOutput => _standardOutput.FirstOrDefault();

    /// <summary>A file or folder to read; null for none.</summary>
    public CommandFiles Reads(string option, string? path)
    {
        if (path == StandardStream.Name)
        {
            throw new UsageException(
                $"{option} cannot be read from stdin (-); name a file (./- if its name is a dash)."
            );
        }

        return AddInput(option, path);
    }

    /// <summary>Several files to read.</summary>
    public CommandFiles Reads(string option, IEnumerable<string> paths) =>
        paths.Aggregate(this, (files, path) => files.Reads(option, path));

    /// <summary>A file to read, or standard input (<c>-</c>); null for none.</summary>
    public CommandFiles ReadsFileOrInput(string option, string? path)
    {
        if (path != StandardStream.Name)
        {
            return AddInput(option, path);
        }

        _standardInput.Add(option);
        return this;
    }

    /// <summary>Several files to read, of which one may be standard input.</summary>
    public CommandFiles ReadsFileOrInput(string option, IEnumerable<string> paths) =>
        paths.Aggregate(this, (files, path) => files.ReadsFileOrInput(option, path));

    /// <summary>A text, or standard input (<c>-</c>).</summary>
    public CommandFiles ReadsTextOrInput(string option, string? text)
    {
        if (text == StandardStream.Name)
        {
            _standardInput.Add(option);
        }

        return this;
    }

    /// <summary>An option that, if given, prints something to standard output.</summary>
    public CommandFiles Prints(string option, bool isGiven)
    {
        if (isGiven)
        {
            _standardOutput.Add(option);
        }

        return this;
    }

    /// <summary>A file to write, or standard output (<c>-</c>); null for none.</summary>
    public CommandFiles Writes(string option, string? path)
    {
        if (path == StandardStream.Name)
        {
            return Prints($"{option} -", true);
        }

        if (path is not null)
        {
            _outputs.Add((option, path));
        }

        return this;
    }

    /// <summary>A file to write that can be nothing but a file; null for none.</summary>
    public CommandFiles WritesFile(string option, string? path)
    {
        RequireNoStream(option, path, "file");
        return Writes(option, path);
    }

    /// <summary>A folder that files of some kinds are written into; null for none.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="folder">The folder. It is created if it does not exist.</param>
    /// <param name="extensions">Endings of the files' names, with a dot.</param>
    public CommandFiles WritesInto(string option, string? folder, params string[] extensions)
    {
        RequireNoStream(option, folder, "folder");
        if (folder is not null)
        {
            _folders.Add((option, folder, extensions));
        }

        return this;
    }

    /// <summary>Refuses outputs that would cost a file or cannot be written.</summary>
    /// <exception cref="UsageException">
    /// An output is one of the inputs, a model, or another output; or two options share a standard stream.
    /// </exception>
    /// <exception cref="InvalidInputException">A file cannot be written there.</exception>
    public void Check()
    {
        if (_standardInput is [var reader, var second, ..])
        {
            throw new UsageException($"{reader} - and {second} - both read stdin; give one of them otherwise.");
        }

        if (_standardOutput is [var printer, var other, ..])
        {
            throw new UsageException($"{printer} and {other} both write to stdout; leave one, or name a file.");
        }

        CheckFiles();
    }

    private CommandFiles AddInput(string option, string? path)
    {
        if (path is not null)
        {
            RequireName(option, path, "read");
            _inputs.Add((option, path));
        }

        return this;
    }

    private void CheckFiles()
    {
        for (var i = 0; i < _outputs.Count; i++)
        {
            var (option, path) = _outputs[i];
            RequireTarget(option, path);
            foreach (var (other, input) in _inputs)
            {
                if (
                    FileIdentity.AreSame(path, input)
                    || (Directory.Exists(input) && File.Exists(path) && FileIdentity.IsWithin(path, input))
                )
                {
                    throw new UsageException(
                        $"{option} {path} would take the place of what {other} reads; name another file to write."
                    );
                }
            }

            foreach (var (other, _) in _outputs.Take(i).Where(output => FileIdentity.AreSame(path, output.Path)))
            {
                throw new UsageException($"{option} and {other} name one file, {path}; give each its own.");
            }
        }

        foreach (var (option, folder, extensions) in _folders)
        {
            RequireFolder(option, folder);
            foreach (var (other, input) in _inputs.Where(input => IsAmong(input.Path, folder, extensions)))
            {
                throw new UsageException(
                    $"{option} {folder} holds {input}, which {other} reads and a file of that name could replace; name another folder."
                );
            }
        }

        // Last, because it touches the disk.
        foreach (var (option, path) in _outputs)
        {
            ProveWritable(option, path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }

        foreach (var (option, folder, _) in _folders.Where(one => Directory.Exists(one.Folder)))
        {
            ProveWritable(option, folder, folder);
        }
    }

    private static bool IsAmong(string input, string folder, string[] extensions) =>
        Directory.Exists(input)
            ? FileIdentity.AreSame(input, folder)
            : extensions.Contains(Path.GetExtension(input), StringComparer.OrdinalIgnoreCase)
                && FileIdentity.AreSame(Path.GetDirectoryName(Path.GetFullPath(input))!, folder);

    private static void RequireTarget(string option, string path)
    {
        RequireName(option, path, "write");
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new InvalidInputException($"{path} is a folder; name the file to write");
        }

        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder))
        {
            throw new InvalidInputException(
                File.Exists(folder)
                    ? $"{path}: {folder} is a file, not a folder"
                    : $"{path}: there is no folder {folder}; make it first"
            );
        }

        if (InputFile.IsSpecial(full))
        {
            throw new InvalidInputException($"{path} is no ordinary file (a device or a pipe); name a file to write");
        }

        if (KindOf(full) is { } kind)
        {
            throw new UsageException(
                $"{option} {path} is a {kind}, which tamx does not replace; name another file to write."
            );
        }
    }

    private static void RequireNoStream(string option, string? path, string kind)
    {
        if (path == StandardStream.Name)
        {
            throw new UsageException($"{option} needs a {kind}; stdout (-) is none.");
        }
    }

    /// <summary>A blank name is one that a script left out.</summary>
    private static void RequireName(string option, string path, string purpose, string kind = "file")
    {
        if (string.IsNullOrWhiteSpace(path))
        {
            var what = path.Length == 0 ? "empty" : "blank";
            throw new UsageException($"{option} needs the name of a {kind} to {purpose}; it is {what}.");
        }
    }

    private static void RequireFolder(string option, string folder)
    {
        RequireName(option, folder, "write into", "folder");
        if (File.Exists(folder))
        {
            throw new InvalidInputException($"{folder} is a file; {option} needs a folder");
        }
    }

    /// <summary>
    /// What an existing file is if no command writes such files: a model, a picture or a video. Nobody means to replace
    /// one.
    /// </summary>
    private static string? KindOf(string path)
    {
        Span<byte> head = stackalloc byte[12];
        head.Clear();
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            using var file = InputFile.Open(path);
            file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An unreadable file may still be replaced.
            return null;
        }

        ReadOnlySpan<byte> matroska = [0x1A, 0x45, 0xDF, 0xA3];
        return head.StartsWith("GGUF"u8) ? "model (GGUF)"
            : RgbImage.IsPicture(head) ? "picture"
            : head[4..].StartsWith("ftyp"u8) || head.StartsWith(matroska) || head.StartsWith("RIFF"u8) ? "video"
            : null;
    }

    /// <summary>Creates a file beside the target, as the writing itself will, and deletes it.</summary>
    private static void ProveWritable(string option, string path, string folder)
    {
        try
        {
            var probe = Path.Combine(folder, $".tamx-{Guid.NewGuid():N}.tmp");
            using var file = new FileStream(
                probe,
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                1,
                FileOptions.DeleteOnClose
            );
            file.WriteByte(0);
            file.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = e is UnauthorizedAccessException ? "no permission" : Reason(e.Message);
            throw new InvalidInputException(
                $"{option} {path}: nothing can be written in {folder} ({reason}); name another place",
                e
            );
        }
    }

    /// <summary>The system's message without the name of the file that was tried.</summary>
    private static string Reason(string message)
    {
        var end = message.IndexOf(" : '", StringComparison.Ordinal);
        return (end > 0 ? message[..end] : message).Trim().TrimEnd('.');
    }
}
