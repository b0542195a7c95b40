namespace Tamx.Kernels.Cpu;

/// <summary>Shares out items of work among threads, of which the caller's is one.</summary>
/// <param name="count">Most threads at a time, at least 1.</param>
internal sealed class Workers(int count)
{
    /// <summary>Most threads at a time. Workers are numbered from 0 to one less.</summary>
    public int Count { get; } = count;

    /// <summary>Does every item once. Any worker may get any item.</summary>
    /// <param name="itemCount">Number of items.</param>
    /// <param name="work">Takes the worker's number, which no other thread has meanwhile, and the item's.</param>
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
