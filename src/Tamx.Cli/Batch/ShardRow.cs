using System.Formats.Tar;

namespace Tamx.Cli.Batch;

/// <summary>A row of a complete shard.</summary>
internal sealed record ShardRow(string Key, IReadOnlyList<(string Name, byte[] Content)> Files)
{
    /// <summary>The rows of a tar, one after another.</summary>
    /// <exception cref="InvalidInputException">The tar is damaged.</exception>
    public static IEnumerable<ShardRow> ReadAll(string path)
    {
        using var file = InputFile.Open(path);
        using var tar = new TarReader(file);
        List<(string, byte[])> files = [];
        while (Next() is { } entry)
        {
            files.Add((entry.Name, entry.Content));
            if (entry.Name.EndsWith(RowFiles.Answer, StringComparison.Ordinal))
            {
                yield return new ShardRow(entry.Name[..^RowFiles.Answer.Length], files);
                files = [];
            }
        }

        (string Name, byte[] Content)? Next()
        {
            try
            {
                if (tar.GetNextEntry() is not { } entry)
                {
                    return null;
                }

                var content = new byte[entry.Length];
                entry.DataStream?.ReadExactly(content);
                return (entry.Name, content);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
            {
                throw new InvalidInputException($"{path}: is damaged: {OutsideText.Part(e.Message)}", e);
            }
        }
    }

    /// <summary>Writes a file of a row. The same content always gives the same bytes.</summary>
    public static void WriteEntry(TarWriter tar, string name, byte[] content)
    {
        using var data = new MemoryStream(content);
        tar.WriteEntry(
            new GnuTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = data,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
                ModificationTime = DateTimeOffset.UnixEpoch,
            }
        );
    }
}
