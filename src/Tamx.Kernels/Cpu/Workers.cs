namespace Tamx.Kernels.Cpu;

/// <summary>Shares items of work out to a number of threads, of which the caller's is one.</summary>
/// <param name="count">Most threads at a time, at least 1.</param>
internal sealed class Workers(int count)
{
    /// <summary>Most threads at a time; workers are numbered from 0 to one less.</summary>
    public int Count { get; } = count;

    /// <summary>Does every item once; which worker does which is left to chance.</summary>
    /// <param name="itemCount">Number of items.</param>
    /// <param name="work">Given the worker's number, which no two threads have at a time, and the item's.</param>
    /// <param name="cancellationToken">Cancels by throwing, within one item.</param>
    public void Run(int itemCount, Action<int, int> work, CancellationToken cancellationToken)
    {
        var next = -1;
        var workers = Math.Min(Count, itemCount);
        if (workers <= 1)
        {
            Work(0);
        }
        else
        {
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, Work);
        }

        cancellationToken.ThrowIfCancellationRequested();

        void Work(int worker)
        {
            int item;
            while (!cancellationToken.IsCancellationRequested && (item = Interlocked.Increment(ref next)) < itemCount)
            {
                work(worker, item);
            }
        }
    }
}
