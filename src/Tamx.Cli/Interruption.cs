using System.Runtime.InteropServices;

namespace Tamx.Cli;

/// <summary>
/// Ctrl+C. The first ends the command's work; where a part of it is worth keeping, it ends it there and the part is
/// kept. The second ends the command in any case.
/// </summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>How long a cancelled command may take to end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _cancel = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _hasPart;

    /// <summary>Asks for the end; what there is is kept.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Asks for the end, with nothing left.</summary>
    public CancellationToken Cancel => _cancel.Token;

    /// <summary>Ctrl+C, and being told to end, of this process.</summary>
    public static Interruption OfThisProcess()
    {
        var interruption = new Interruption();
        interruption.Register(PosixSignal.SIGINT, interruption.Press);
        interruption.Register(PosixSignal.SIGTERM, interruption.End);
        return interruption;
    }

    /// <summary>There is a part worth keeping from here on.</summary>
    public void KeepPart()
    {
        lock (_lock)
        {
            _hasPart = true;
        }
    }

    /// <summary>Ctrl+C was pressed.</summary>
    public void Press()
    {
        bool isFirst;
        lock (_lock)
        {
            isFirst = _hasPart && !_stop.IsCancellationRequested;
        }

        (isFirst ? _stop : _cancel).Cancel();
    }

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void End() => _cancel.Cancel();

    private void Register(PosixSignal signal, Action act) =>
        _signals.Add(
            PosixSignalRegistration.Create(
                signal,
                context =>
                {
                    context.Cancel = true;
                    act();
                    if (Cancel.IsCancellationRequested)
                    {
                        // Some calls of the system, such as opening a pipe that nobody writes to, cannot be cancelled.
                        _ = Task.Delay(Grace)
                            .ContinueWith(_ => Environment.Exit(ExitCode.Cancelled), TaskScheduler.Default);
                    }
                }
            )
        );
}
