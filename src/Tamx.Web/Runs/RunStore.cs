using System.Security.Cryptography;

namespace Tamx.Web;

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
internal sealed class Run(string id, string folder, string prompt) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>32 random hexadecimal digits.</summary>
    public string Id { get; } = id;

    /// <summary>Where its files are.</summary>
    public string Folder { get; } = folder;

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

    /// <summary>Bytes of its files.</summary>
    public long FileBytes { get; set; }

    /// <summary>Whether somebody asked to forget it while it was under way.</summary>
    public bool IsUnwanted { get; set; }

    public bool IsOver => State is not (RunState.Queued or RunState.Running);

    public void Stop() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();
}

/// <summary>The runs of this server: those under way, and the last finished ones with their files.</summary>
internal sealed class RunStore(string folder, RequestLimits limits)
{
    private readonly Lock _gate = new();
    private readonly List<Run> _runs = [];

    /// <summary>Begins a run.</summary>
    public Run Add(string prompt)
    {
        var id = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var run = new Run(id, Directory.CreateDirectory(Path.Combine(folder, id)).FullName, prompt);
        lock (_gate)
        {
            _runs.Add(run);
        }

        return run;
    }

    /// <summary>All runs, newest first.</summary>
    public IReadOnlyList<Run> List()
    {
        lock (_gate)
        {
            return [.. _runs.AsEnumerable().Reverse()];
        }
    }

    /// <summary>A run by its id; null if there is none.</summary>
    public Run? Find(string id)
    {
        lock (_gate)
        {
            return _runs.Find(run => run.Id == id);
        }
    }

    /// <summary>Ends a run: keeps its files if it has them all, and forgets the oldest runs beyond the limits.</summary>
    public void Finish(Run run, RunState state)
    {
        foreach (var upload in Directory.EnumerateFiles(run.Folder, RunFiles.VideoPrefix + "*"))
        {
            File.Delete(upload);
        }

        lock (_gate)
        {
            run.State = state;
            if (run.IsUnwanted || state is not (RunState.Done or RunState.Stopped))
            {
                Forget(run);
                return;
            }

            run.FileBytes = new DirectoryInfo(run.Folder).EnumerateFiles().Sum(file => file.Length);
            while (_runs.Count(other => other.IsOver) is var count && count > 1
                && (count > limits.MaxRuns || _runs.Sum(other => other.FileBytes) > limits.MaxRunBytes))
            {
                Forget(_runs.First(other => other.IsOver));
            }
        }
    }

    /// <summary>Forgets a run that is over, with its files; stops one that is not.</summary>
    /// <returns>False if there is no such run.</returns>
    public bool Remove(string id)
    {
        lock (_gate)
        {
            if (_runs.Find(run => run.Id == id) is not { } run)
            {
                return false;
            }

            if (run.IsOver)
            {
                Forget(run);
            }
            else
            {
                run.IsUnwanted = true;
                run.Stop();
            }

            return true;
        }
    }

    private void Forget(Run run)
    {
        _runs.Remove(run);
        PrivateFolder.Remove(run.Folder);
        run.Dispose();
    }
}
