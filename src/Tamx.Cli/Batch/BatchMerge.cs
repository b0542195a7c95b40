using System.Formats.Tar;

namespace Tamx.Cli.Batch;

/// <summary>Brings a folder's shards together, in the order of their rows.</summary>
internal static class BatchMerge
{
    /// <summary>Writes one tar, as a run without shards would have; or one Parquet file.</summary>
    /// <returns>What it holds.</returns>
    /// <exception cref="InvalidInputException">A shard is missing or damaged.</exception>
    public static async Task<ShardSummary> WriteAsync(string folder, string target, CancellationToken cancellationToken)
    {
        var count = BatchManifest.ShardCount(folder);
        BatchShard[] shards = [.. Enumerable.Range(0, count).Select(index => new BatchShard(index, count))];
        if (shards.Where(shard => !ShardFile.IsComplete(folder, shard)).Take(4).ToList() is { Count: > 0 } open)
        {
            throw new InvalidInputException(
                $"{folder}: not complete: {string.Join(", ", open.Take(3).Select(shard => shard.Name))}{(open.Count > 3 ? " and others" : "")}; run these shards first"
            );
        }

        ShardSummary[] summaries = [.. shards.Select(shard => ShardFile.SummaryOf(folder, shard))];
        if (Path.GetExtension(target).Equals(".parquet", StringComparison.OrdinalIgnoreCase))
        {
            await ParquetFile.WriteAsync(Rows(), target, cancellationToken);
        }
        else
        {
            WholeFile.Write(target, WriteTar);
        }

        return new ShardSummary(
            summaries.Sum(summary => summary.Rows),
            summaries.Sum(summary => summary.Failed),
            new FileInfo(target).Length
        );

        // Row n lies in shard n mod N: one of each in turn gives the rows back in their order.
        IEnumerable<ShardRow> Rows()
        {
            List<IEnumerator<ShardRow>> readers = [];
            try
            {
                readers.AddRange(
                    shards.Select(shard => ShardRow.ReadAll(ShardFile.PathOf(folder, shard)).GetEnumerator())
                );
                for (var left = true; left; )
                {
                    left = false;
                    foreach (var reader in readers)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        if (reader.MoveNext())
                        {
                            left = true;
                            yield return reader.Current;
                        }
                    }
                }
            }
            finally
            {
                readers.ForEach(reader => reader.Dispose());
            }
        }

        void WriteTar(Stream stream)
        {
            using var tar = new TarWriter(stream, TarEntryFormat.Gnu, leaveOpen: true);
            foreach (var row in Rows())
            {
                foreach (var (name, content) in row.Files)
                {
                    ShardRow.WriteEntry(tar, name, content);
                }
            }
        }
    }
}
