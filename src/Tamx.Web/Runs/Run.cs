namespace Tamx.Web.Runs;

/// <summary>Where a run stands.</summary>
internal enum RunState
{
    Queued,
    Running,
    Done,
    Stopped,
    Failed,
    Cancelled,
}

/// <summary>A request and what became of it.</summary>
internal sealed class Run(string id, RunFiles files, string prompt) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>32 random hexadecimal digits.</summary>
    public string Id { get; } = id;

    public RunFiles Files { get; } = files;

    /// <summary>The last question, cut short.</summary>
    public string Prompt { get; } = prompt;

    public DateTimeOffset Created { get; } = DateTimeOffset.UtcNow;

    public RunState State { get; set; }

    /// <summary>What is being done, as in <c>progress</c> events; null before it begins.</summary>
    public string? Phase { get; set; }

    /// <summary>The answer, once it is known.</summary>
    public string? Answer { get; set; }

    /// <summary>Cancelled when somebody asked to stop it.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Bytes of its files, once it is over.</summary>
    public long FileBytes { get; set; }

    /// <summary>Whether somebody asked to forget it while it was under way.</summary>
    public bool IsUnwanted { get; set; }

    public bool IsOver => State is not (RunState.Queued or RunState.Running);

    public void Stop() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();
}
