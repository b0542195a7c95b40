using System.Globalization;

namespace Tamx.Cli.Batch;

/// <summary>A part of the rows: those whose number leaves the rest <paramref name="Index"/> when divided.</summary>
/// <param name="Index">Which part, from 0.</param>
/// <param name="Count">How many parts there are.</param>
internal readonly record struct BatchShard(int Index, int Count)
{
    /// <summary>Most parts.</summary>
    public const int MostShards = 100_000;

    /// <summary>All rows.</summary>
    public static BatchShard Whole => new(0, 1);

    /// <summary>The name of its files, without an ending.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"shard-{Index:D5}-of-{Count:D5}");

    /// <summary>Whether a row belongs to it.</summary>
    public bool Has(long row) => row % Count == Index;

    /// <summary>Its own parts, for processes side by side.</summary>
    public BatchShard Part(int index, int count) => new(Index + (index * Count), Count * count);

    /// <summary>Reads <c>I/N</c>; null for anything else.</summary>
    public static BatchShard? Parse(string text) =>
        text.Split('/') is [var index, var count]
        && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var i)
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
        && n is > 0 and <= MostShards
        && i < n
            ? new BatchShard(i, n)
            : null;

    /// <summary>What the scheduler says that started this process: Slurm's array, or Kubernetes' indexed job.</summary>
    /// <exception cref="InvalidInputException">It says something, but not enough.</exception>
    public static BatchShard OfScheduler(Func<string, string?> variable)
    {
        if (variable("SLURM_ARRAY_TASK_ID") is { } task)
        {
            // An array may begin anywhere: --array=1-8.
            var first = variable("SLURM_ARRAY_TASK_MIN") ?? "0";
            return
                int.TryParse(task, CultureInfo.InvariantCulture, out var id)
                && int.TryParse(first, CultureInfo.InvariantCulture, out var least)
                && Parse(FormattableString.Invariant($"{id - least}/{variable("SLURM_ARRAY_TASK_COUNT")}")) is { } shard
                ? shard
                : throw Unclear("SLURM_ARRAY_TASK_ID, _MIN and _COUNT");
        }

        return variable("JOB_COMPLETION_INDEX") is not { } index ? Whole
            : Parse($"{index}/{variable("JOB_COMPLETIONS")}") is { } part ? part
            : throw Unclear("JOB_COMPLETION_INDEX and JOB_COMPLETIONS");

        static InvalidInputException Unclear(string names) =>
            new($"the environment's {names} name no part of the rows; say which with --shard I/N");
    }
}
