using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>A folder of pictures, and of folders of them. A row's id is the path without its ending.</summary>
internal sealed class FolderInput : BatchInput
{
    private readonly string[] _files;

    public FolderInput(string path, string prompt)
        : base(path, prompt)
    {
        _files =
        [
            .. Directory
                .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => PictureEndings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                .Select(file => Path.GetRelativePath(path, file).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];
        if (_files.Length == 0)
        {
            throw new InvalidInputException($"{path}: no pictures ({string.Join(", ", PictureEndings)})");
        }
    }

    public override long Count => _files.Length;

    public override long Bytes => _files.Sum(file => new FileInfo(Path.Combine(Location, file)).Length);

    public override IEnumerable<BatchRow> Rows() =>
        _files
            .Index()
            .Select(entry => new BatchRow(
                entry.Index,
                Path.ChangeExtension(entry.Item, null),
                _ => Ask(ImagePart.FromFile(Path.Combine(Location, entry.Item)), null, null)
            ));
}
