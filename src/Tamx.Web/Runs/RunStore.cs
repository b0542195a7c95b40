using System.Security.Cryptography;

namespace Tamx.Web.Runs;

/// <summary>The runs of this server: those under way, and the last finished ones with their files.</summary>
internal sealed class RunStore(string folder, RequestLimits limits)
{
    private readonly Lock _gate = new();
    private readonly List<Run> _runs = [];

    /// <summary>Begins a run.</summary>
    /// <exception cref="IOException">It cannot have a folder.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot have a folder.</exception>
    public Run Add(string prompt)
    {
        var id = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var run = new Run(id, RunFiles.Create(folder, id), prompt);
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

    /// <summary>
    /// Ends a run: keeps its files if it has them all, and forgets the oldest runs beyond the limits.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="state">How it ended.</param>
    /// <param name="hasFiles">Whether a run that ended well has files.</param>
    public void Finish(Run run, RunState state, bool hasFiles)
    {
        run.Files.RemoveVideos();
        lock (_gate)
        {
            run.State = state;
            if (
                run.IsUnwanted
                || !hasFiles
                || state is not (RunState.Done or RunState.Stopped)
                || run.Files.TotalBytes is not { } bytes
            )
            {
                Forget(run);
                return;
            }

            run.FileBytes = bytes;
            while (
                _runs.Count(other => other.IsOver) is var count
                && count > 1
                && (count > limits.MaxRuns || _runs.Sum(other => other.FileBytes) > limits.MaxRunBytes)
            )
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
        run.Files.Remove();
        run.Dispose();
    }
}
