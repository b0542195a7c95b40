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
    /// <summary>Tells a worker that it ends with the process that started it.</summary>
    private const string Mark = "TAMX_BATCH_WORKER";

    /// <summary>How long workers may take to end their row when all are to end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

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

        var workers = Enumerable.Range(0, count).Select(index => Start(command, shard.Part(index, count))).ToList();
        try
        {
            await Task.WhenAll([
                .. workers.Select(worker => RelayAsync(worker, error)),
                .. workers.Select(worker => worker.WaitForExitAsync(cancellationToken)),
            ]);
            return
                workers
                    .Select(worker => worker.ExitCode)
                    .FirstOrDefault(code => code is not (ExitCode.Ok or ExitCode.FailedRows))
                    is not 0
                        and var fault
                ? fault
                : workers.Max(worker => worker.ExitCode);
        }
        finally
        {
            // Without standard input they end after their row.
            workers.ForEach(worker => worker.StandardInput.Close());
            foreach (var worker in workers)
            {
                if (!worker.WaitForExit(Grace))
                {
                    worker.Kill(entireProcessTree: true);
                }

                worker.Dispose();
            }
        }
    }

    /// <summary>In a worker: ends its work when the process that started it has ended.</summary>
    public static IDisposable? EndWithParent(CommandContext context)
    {
        if (Environment.GetEnvironmentVariable(Mark) != "1")
        {
            return null;
        }

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

    private static Process Start(List<string> command, BatchShard shard)
    {
        var start = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardError = true,
            Environment = { [Mark] = "1" },
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

    private static async Task RelayAsync(Process worker, TextWriter error)
    {
        while (await worker.StandardError.ReadLineAsync() is { } line)
        {
            lock (error)
            {
                error.WriteLine(line);
            }
        }
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
