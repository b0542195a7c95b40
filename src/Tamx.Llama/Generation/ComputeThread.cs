using System.Collections.Concurrent;

namespace Tamx.Llama;

/// <summary>The thread that does all the native work of one call, piece by piece.</summary>
/// <remarks>
/// OpenMP keeps a team of workers for every thread that ever computed, and ends it with that thread. If each token were
/// computed on another thread of the pool, there would soon be more workers than CPU cores. OpenMP then lets them sleep
/// between two operators, which costs a quarter of the speed on two cores.
/// </remarks>
internal sealed class ComputeThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];

    public ComputeThread() => new Thread(Run) { IsBackground = true, Name = "Tamx compute" }.Start();

    /// <summary>Runs work after all that was given before.</summary>
    /// <exception cref="InvalidOperationException">The thread was ended.</exception>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                result.SetResult(work());
            }
            catch (OperationCanceledException e)
            {
                result.SetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        });
        return result.Task;
    }

    /// <summary>Ends the thread once it has done the work it was given.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        using (_work)
        {
            foreach (var work in _work.GetConsumingEnumerable())
            {
                work();
            }
        }
    }
}
