using System.Collections.Concurrent;

namespace Tamx.Llama;

/// <summary>A thread of its own for the native work of one call, given to it piece by piece.</summary>
/// <remarks>
/// OpenMP keeps a team of workers for every thread that ever computed. Were each token computed on another thread of
/// the pool, there would soon be more workers than processors; OpenMP then no longer lets them wait awake between two
/// operators, which costs a quarter of the speed on two processors. A team goes with its thread.
/// </remarks>
internal sealed class ComputeThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];

    public ComputeThread() => new Thread(Run) { IsBackground = true, Name = "Tamx compute" }.Start();

    /// <summary>Runs work after what was given before.</summary>
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

    /// <summary>Ends the thread when it has done what it was given.</summary>
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
