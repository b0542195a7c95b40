using System.Diagnostics;
using System.Globalization;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>Works through the rows of a shard with one model.</summary>
internal sealed class BatchRun(
    VisionLanguageModel model,
    ITamEngine engine,
    ExplainOptions options,
    ModelCalibration? calibration,
    Func<IReadOnlyList<ChatTurn>, Explanation, Task<MeasuredTruth>> measure,
    TextWriter error
)
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(10);

    /// <summary>Whether to draw the maps of content words.</summary>
    public required bool Pictures { get; init; }

    /// <summary>Rows that may fail before the work ends.</summary>
    public required long MostErrors { get; init; }

    /// <summary>Told the place of each row in the shard before it is explained.</summary>
    public Action<int>? Begins { get; init; }

    /// <summary>The place of a row that is not explained, because it ended two processes; null for none.</summary>
    public int? FatalPlace { get; init; }

    /// <summary>Explains the rows that are not in the shard yet.</summary>
    /// <returns>Whether all rows are in it.</returns>
    /// <exception cref="InvalidInputException">The shard holds rows of another input.</exception>
    public async Task<bool> RunAsync(
        BatchInput input,
        BatchShard shard,
        ShardFile results,
        CancellationToken stop,
        CancellationToken cancellationToken
    )
    {
        var clock = Stopwatch.StartNew();
        var reported = TimeSpan.Zero;
        var total = (input.Count - shard.Index + shard.Count - 1) / shard.Count;
        var before = results.Done.Count;
        var place = 0;
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in input.Rows())
        {
            // Also of rows that others work on: the second of two with one id fails, however they are divided.
            var isNew = ids.Add(row.Id);
            if (!shard.Has(row.Number))
            {
                continue;
            }

            if (place < before)
            {
                RequireSame(row, results, place++);
                continue;
            }

            if (results.FailedCount > MostErrors)
            {
                throw new InvalidInputException(
                    $"{results.FailedCount} rows have failed, more than --max-errors {MostErrors}; what is done is kept, and the same command with a larger number goes on"
                );
            }

            if (stop.IsCancellationRequested)
            {
                return false;
            }

            Begins?.Invoke(place);
            await AddAsync(row, isNew, place == FatalPlace, results, cancellationToken);
            place++;
            if (clock.Elapsed - reported > ReportEvery)
            {
                reported = clock.Elapsed;
                var rate = (place - before) / clock.Elapsed.TotalSeconds;
                var left = TimeSpan.FromSeconds((total - place) / rate);
                error.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{shard.Name}: {place} of {total} rows, {results.FailedCount} failed; {rate:G3} rows/s, {left:d\\.hh\\:mm\\:ss} left"
                    )
                );
            }
        }

        return true;
    }

    private static void RequireSame(BatchRow row, ShardFile results, int place)
    {
        var key = ShardFile.KeyOf(row.Id);
        var there = results.Done[place];
        if (there != key && there != ShardFile.KeyOfNumber(row.Number))
        {
            throw new InvalidInputException(
                $"row {row.Number} is {OutsideText.Quoted(row.Id)}, but {OutsideText.Quoted(there)} in the results of an earlier run; the input has changed: name another folder"
            );
        }
    }

    private async Task AddAsync(
        BatchRow row,
        bool isNew,
        bool isFatal,
        ShardFile results,
        CancellationToken cancellationToken
    )
    {
        var key = ShardFile.KeyOf(row.Id);
        if (!isNew || key.Length > ShardFile.MostKeyLength)
        {
            AddError(
                ShardFile.KeyOfNumber(row.Number),
                isNew ? "its id is too long" : "a row before it has the same id"
            );
            return;
        }

        if (isFatal)
        {
            AddError(key, "two processes ended while they explained it");
            return;
        }

        IReadOnlyList<(string, byte[])> files;
        try
        {
            files = await ExplainAsync(row, cancellationToken);
        }
        catch (Exception e) when (e is InvalidInputException or LlamaException or IOException)
        {
            AddError(key, CommandLine.Explain(e));
            return;
        }

        results.Add(key, files, hasFailed: false);

        void AddError(string name, string why)
        {
            error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"row {row.Number}, {OutsideText.Part(row.Id)}: {why}")
            );
            results.Add(name, RowFiles.OfError(row, why), hasFailed: true);
        }
    }

    private async Task<IReadOnlyList<(string, byte[])>> ExplainAsync(BatchRow row, CancellationToken cancellationToken)
    {
        var (turns, own) = row.Read(cancellationToken);
        var region = own is null ? options.Completion.Region : calibration?.Apply(own) ?? own;
        var explanation = await Explainer.ExplainAsync(
            model,
            turns,
            options with
            {
                Completion = options.Completion with { Region = region },
            },
            engine,
            cancellationToken: cancellationToken
        );
        var truth = await measure(region?.Apply(turns) ?? turns, explanation);
        return RowFiles.Of(row, explanation, truth, calibration?.Describe(), Pictures);
    }
}
