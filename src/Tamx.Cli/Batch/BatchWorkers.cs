using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Tamx.Web.Runs;

namespace Tamx.Cli.Batch;

/// <summary>
/// Processes side by side, each with a part of a shard: this program again, with its own <c>--shard</c>. They map the
/// same model file, so its weights are in memory once.
/// </summary>
internal static class BatchWorkers
{
    /// <summary>Tells a worker that it is one.</summary>
    private const string Mark = "TAMX_BATCH_WORKER";

    /// <summary>Tells a worker the place of a row that ended two processes.</summary>
    private const string FatalMark = "TAMX_BATCH_FATAL_ROW";

    /// <summary>Runs them to their end.</summary>
    /// <returns>The exit code: that of the worst.</returns>
    public static async Task<int> RunAsync(
        ParseResult parsed,
        Option shardOption,
        Option countOption,
        EngineArguments engine,
        BatchShard shard,
        int count,
        CancellationToken cancellationToken
    )
    {
        var error = CommandContext.Of(parsed).Error;
        List<string> command = [.. WorkerProcess.ThisProgram(), .. Without(parsed, shardOption, countOption)];
        if (engine.ThreadCount(parsed) == 0)
        {
            command.AddRange(["-t", $"{Math.Max(1, Environment.ProcessorCount / count)}"]);
        }

        var workers = Enumerable
            .Range(0, count)
            .Select(index => shard.Part(index, count))
            .Select(part => new BatchWorker(part.Name, fatal => Start(command, part, fatal), error))
            .ToList();
        try
        {
            var codes = await Task.WhenAll(workers.Select(worker => worker.RunAsync(cancellationToken)));
            return codes.FirstOrDefault(code => code is not (ExitCode.Ok or ExitCode.FailedRows)) is not 0 and var fault
                ? fault
                : codes.Max();
        }
        finally
        {
            workers.ForEach(worker => worker.End());
            workers.ForEach(worker => worker.Dispose());
        }
    }

    /// <summary>In a worker: what the process that started it says and is told.</summary>
    public static WorkerDuty? Duty(CommandContext context)
    {
        if (Environment.GetEnvironmentVariable(Mark) is null)
        {
            return null;
        }

        var fatal = Environment.GetEnvironmentVariable(FatalMark);
        return new WorkerDuty(
            int.TryParse(fatal, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : null,
            EndWithParent(context),
            begun =>
            {
                context.Output.WriteLine(begun.ToString(CultureInfo.InvariantCulture));
                context.Output.Flush();
            }
        );
    }

    /// <summary>Ends a worker's work when the process that started it has ended.</summary>
    private static Stream EndWithParent(CommandContext context)
    {
        var input = context.OpenInput();
        new Thread(() =>
        {
            try
            {
                while (input.ReadByte() >= 0) { }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // It has ended, too.
            }

            context.Interruption.Press();
        })
        {
            IsBackground = true,
            Name = "parent's end",
        }.Start();
        return input;
    }

    private static Process Start(List<string> command, BatchShard shard, int? fatalPlace)
    {
        var start = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [Mark] = "1", [FatalMark] = fatalPlace?.ToString(CultureInfo.InvariantCulture) },
        };
        string[] own =
        [
            .. command.Skip(1),
            "--shard",
            string.Create(CultureInfo.InvariantCulture, $"{shard.Index}/{shard.Count}"),
        ];
        foreach (var argument in own)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    /// <summary>The command line without these options and their values.</summary>
    private static IEnumerable<string> Without(ParseResult parsed, params Option[] options)
    {
        var skip = 0;
        foreach (var token in parsed.Tokens)
        {
            if (skip > 0)
            {
                skip--;
            }
            else if (options.Any(option => option.Name == token.Value || option.Aliases.Contains(token.Value)))
            {
                skip = 1;
            }
            else
            {
                yield return token.Value;
            }
        }
    }
}

/// <summary>What a worker owes to the process that started it.</summary>
/// <param name="FatalPlace">The place in its part of a row that it must not explain, or null.</param>
/// <param name="Input">Ends with that process.</param>
/// <param name="Begins">To be told the place of each row before it is explained.</param>
internal sealed record WorkerDuty(int? FatalPlace, Stream Input, Action<int> Begins) : IDisposable
{
    public void Dispose() => Input.Dispose();
}
