using System.Diagnostics;
using System.Globalization;

namespace Tamx.Cli.Batch;

/// <summary>
/// A process that works on one part. If it dies (it was killed, or native code ended it) it is started again, and goes
/// on where it was. A row at which it died twice becomes a row with an error.
/// </summary>
/// <param name="name">What messages call the part.</param>
/// <param name="start">
/// Starts the process, which writes the place of each row to standard output before it explains it. It is told the
/// place of a row that it must not explain, or null.
/// </param>
/// <param name="error">Receives what the process writes to standard error.</param>
internal sealed class BatchWorker(string name, Func<int?, Process> start, TextWriter error) : IDisposable
{
    /// <summary>Times that a row may end it, or that it may end before any row.</summary>
    private const int MostDeaths = 2;

    /// <summary>Times that it may end without getting any further, wherever that is.</summary>
    private const int MostInVain = 5;

    /// <summary>How long it may take to end its row when it is to end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private Process? _process;

    /// <summary>Runs it to its end.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="OperationCanceledException">Cancelled. <see cref="End"/> ends the process.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var end = cancellationToken.Register(End);
        int? fatal = null;
        var (furthest, deaths, deathsThere) = (-1, 0, 0);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _process?.Dispose();
            _process = start(fatal);
            var places = FollowAsync(_process.StandardOutput);
            await Task.WhenAll(
                RelayAsync(_process.StandardError),
                places,
                _process.WaitForExitAsync(cancellationToken)
            );
            var code = _process.ExitCode;
            if (!HasDied(code))
            {
                return code;
            }

            var place = await places;
            (furthest, deaths, deathsThere) =
                place > furthest ? (place, 1, 1) : (furthest, deaths + 1, deathsThere + (place < 0 ? 0 : 1));
            if (deaths == (furthest < 0 ? MostDeaths : MostInVain))
            {
                Say($"ended {deaths} times (exit code {code}) and got no further; what is done is kept");
                return ExitCode.MissingPart;
            }

            var where = place < 0 ? "before any row" : $"at its row {place}";
            Say($"ended {where} (exit code {code}); it is started again");
            fatal = furthest >= 0 && deathsThere >= MostDeaths ? furthest : fatal;
        }
    }

    /// <summary>Has it end its row, and then itself. Without standard input it does.</summary>
    public void End() => _process?.StandardInput.Close();

    public void Dispose()
    {
        if (_process is { } process)
        {
            if (!process.WaitForExit(Grace))
            {
                process.Kill(entireProcessTree: true);
            }

            process.Dispose();
        }
    }

    /// <summary>Whether it ended otherwise than on purpose. ggml gives up with 1; so does a fault of tamx.</summary>
    private static bool HasDied(int code) =>
        code
            is not (
                ExitCode.Ok
                or ExitCode.Usage
                or ExitCode.BadInput
                or ExitCode.MissingPart
                or ExitCode.FailedRows
                or ExitCode.Cancelled
            );

    /// <summary>The place of the last row that it began; -1 for none.</summary>
    private static async Task<int> FollowAsync(TextReader output)
    {
        var last = -1;
        while (await output.ReadLineAsync() is { } line)
        {
            last = int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : last;
        }

        return last;
    }

    private async Task RelayAsync(TextReader lines)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            Write(line);
        }
    }

    private void Say(string what) => Write($"{name}: its process {what}");

    private void Write(string line)
    {
        lock (error)
        {
            error.WriteLine(line);
        }
    }
}
