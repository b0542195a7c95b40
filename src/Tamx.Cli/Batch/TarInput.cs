using System.Formats.Tar;
using System.Text;
using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>
/// A WebDataset: files of a tar that follow each other and have one name up to its first dot are a row. A picture
/// (<c>.jpg</c> and others), <c>.txt</c> with the question, or <c>.json</c> as a row of JSON lines.
/// </summary>
internal sealed class TarInput : BatchInput
{
    private readonly List<(string Id, List<Member> Members)> _rows = [];

    public TarInput(string path, string prompt)
        : base(path, prompt)
    {
        using var file = InputFile.Open(path);
        Bytes = file.Length;
        try
        {
            using var tar = new TarReader(file);
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                {
                    continue;
                }

                var name = entry.Name[(entry.Name.LastIndexOf('/') + 1)..];
                var dot = name.IndexOf('.', StringComparison.Ordinal);
                if (dot <= 0)
                {
                    continue;
                }

                var id = entry.Name[..^(name.Length - dot)];
                if (_rows.Count == 0 || _rows[^1].Id != id)
                {
                    _rows.Add((id, []));
                }

                _rows[^1].Members.Add(new Member(name[dot..].ToLowerInvariant(), entry.DataOffset, entry.Length));
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new InvalidInputException($"{path}: is no tar, or cut off: {OutsideText.Part(e.Message)}", e);
        }

        if (_rows.Count == 0)
        {
            throw new InvalidInputException($"{path}: no rows; a WebDataset has files such as 000.jpg and 000.json");
        }
    }

    public override long Count => _rows.Count;

    public override long Bytes { get; }

    public override IEnumerable<BatchRow> Rows() =>
        _rows
            .Index()
            .Select(row => new BatchRow(
                row.Index,
                row.Item.Id,
                cancellationToken => Read(row.Index, row.Item.Members, cancellationToken)
            ));

    private RowQuestion Read(int number, List<Member> members, CancellationToken cancellationToken)
    {
        var name = NameOf(number);
        ImagePart? picture = null;
        ReadOnlyMemory<byte>? json = null;
        string? question = null;
        foreach (var member in members)
        {
            switch (member.Ending)
            {
                case var ending when PictureEndings.Contains(ending):
                    picture = new ImagePart(ReadMember(member, name), $"{name}, {member.Ending}");
                    break;
                case ".json":
                    json = ReadMember(member, name);
                    break;
                case ".txt":
                    question = Encoding.UTF8.GetString(ReadMember(member, name)).Trim();
                    break;
            }
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(Location))!;
        return json is { } row ? ReadJson(row, name, folder, picture, cancellationToken)
            : picture is not null ? Ask(picture, question, null)
            : throw new InvalidInputException($"{name}: no picture and no .json");
    }

    private byte[] ReadMember(Member member, string name)
    {
        if (member.Bytes > MostRowBytes)
        {
            throw new InvalidInputException(
                $"{name}{member.Ending}: {member.Bytes:N0} bytes; at most {MostRowBytes:N0}"
            );
        }

        using var file = InputFile.Open(Location);
        file.Position = member.Start;
        var bytes = new byte[member.Bytes];
        file.ReadExactly(bytes);
        return bytes;
    }

    private sealed record Member(string Ending, long Start, long Bytes);
}
