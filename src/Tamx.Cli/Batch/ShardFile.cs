using System.Formats.Tar;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tamx.Cli.Batch;

/// <summary>
/// A shard's results: a tar that grows row by row beside its place (<c>.tar.part</c>) and goes there when all rows are
/// in it. Killed at any moment it goes on after the last row that is whole.
/// </summary>
internal sealed class ShardFile : IDisposable
{
    /// <summary>Most characters of a key.</summary>
    public const int MostKeyLength = 200;

    private const int Block = 512;
    private const string PartEnding = ".part";

    private readonly string _target;
    private readonly string _done;
    private readonly FileStream _part;
    private readonly TarWriter _tar;
    private bool _isWritten;

    private ShardFile(string target, string done)
    {
        (_target, _done) = (target, done);
        try
        {
            // Others are kept out for as long as it is open.
            _part = new FileStream(target + PartEnding, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new InvalidInputException(
                $"{target}{PartEnding} cannot be opened; perhaps another process works on this shard: {e.Message}",
                e
            );
        }

        GoToEndOfLastRow();
        _tar = new TarWriter(_part, TarEntryFormat.Gnu, leaveOpen: true);
    }

    /// <summary>Keys of the rows that are in it, in order.</summary>
    public List<string> Done { get; } = [];

    /// <summary>Rows in it that failed.</summary>
    public int FailedCount { get; private set; }

    /// <summary>Opens a shard's part, which may hold rows of an earlier run.</summary>
    public static ShardFile Open(string folder, BatchShard shard) =>
        new(PathOf(folder, shard), DonePathOf(folder, shard));

    /// <summary>Whether a shard is complete.</summary>
    public static bool IsComplete(string folder, BatchShard shard) => File.Exists(DonePathOf(folder, shard));

    /// <summary>The tar of a complete shard.</summary>
    public static string PathOf(string folder, BatchShard shard) => Path.Combine(folder, shard.Name + ".tar");

    /// <summary>What a complete shard says of itself.</summary>
    public static ShardSummary SummaryOf(string folder, BatchShard shard) =>
        JsonSerializer.Deserialize<ShardSummary>(File.ReadAllBytes(DonePathOf(folder, shard)), ExplainSummary.Json)!;

    /// <summary>The key of a row: its id, with what could not stand in a file's name escaped.</summary>
    public static string KeyOf(string id)
    {
        var key = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(id))
        {
            var isPlain = char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'_' or (byte)'/';
            key.Append(
                isPlain ? ((char)value).ToString() : string.Create(CultureInfo.InvariantCulture, $"%{value:X2}")
            );
        }

        // A name in an archive is relative, and has no empty parts.
        var name = key.Replace("//", "/%2F").ToString();
        return name is ['/', ..] ? "%2F" + name[1..] : name;
    }

    /// <summary>The key of a row whose id cannot be one.</summary>
    public static string KeyOfNumber(long number) => string.Create(CultureInfo.InvariantCulture, $"row#{number}");

    /// <summary>Adds a row's files. When this returns they outlast the process.</summary>
    public void Add(string key, IReadOnlyList<(string Ending, byte[] Content)> files, bool hasFailed)
    {
        foreach (var (ending, content) in files)
        {
            ShardRow.WriteEntry(_tar, key + ending, content);
        }

        _part.Flush();
        _isWritten = true;
        Done.Add(key);
        FailedCount += hasFailed ? 1 : 0;
    }

    /// <summary>Ends the tar and puts it, complete, in its place.</summary>
    public ShardSummary Finish()
    {
        _tar.Dispose();
        if (!_isWritten)
        {
            // The writer ends no archive that it wrote nothing to.
            _part.Write(new byte[2 * Block]);
        }

        _part.SetLength(_part.Position);
        _part.Flush(flushToDisk: true);
        _part.Dispose();
        File.Move(_target + PartEnding, _target, overwrite: true);
        var summary = new ShardSummary(Done.Count, FailedCount, new FileInfo(_target).Length);
        WholeFile.Write(_done, stream => JsonSerializer.Serialize(stream, summary, ExplainSummary.Json));
        return summary;
    }

    /// <summary>Leaves the part as it is, to go on another time.</summary>
    public void Dispose() => _part.Dispose();

    private static string DonePathOf(string folder, BatchShard shard) => Path.Combine(folder, shard.Name + ".done");

    private void GoToEndOfLastRow()
    {
        long end = 0;
        try
        {
            using var tar = new TarReader(_part, leaveOpen: true);
            while (tar.GetNextEntry() is { } entry)
            {
                var after = (entry.DataOffset + entry.Length + Block - 1) / Block * Block;
                if (after > _part.Length)
                {
                    break;
                }

                if (entry.Name.EndsWith(RowFiles.Answer, StringComparison.Ordinal))
                {
                    Done.Add(entry.Name[..^RowFiles.Answer.Length]);
                    FailedCount += IsError(entry) ? 1 : 0;
                    end = after;
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            // The process ended in the middle of a row, which is made anew.
        }

        _part.SetLength(end);
        _part.Position = end;
    }

    private static bool IsError(TarEntry entry)
    {
        using var json = JsonDocument.Parse(entry.DataStream!);
        return json.RootElement.TryGetProperty("error", out _);
    }
}

/// <summary>What a complete shard holds.</summary>
internal sealed record ShardSummary(long Rows, long Failed, long Bytes);
