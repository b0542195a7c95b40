namespace Tamx.Web;

/// <summary>Gives memory back after large requests.</summary>
/// <remarks>
/// Left alone, the collector keeps what the largest requests took until it needs it again, which may be never.
/// </remarks>
internal sealed class MemoryReturn : IAsyncDisposable
{
    private const long Worthwhile = 64 << 20;

    /// <summary>What the server allocates at rest between two looks, at most.</summary>
    private const long AtRest = 1 << 20;

    /// <summary>Collections after the last request: pools of arrays let go of theirs after some only.</summary>
    private const int MostAtRest = 10;

    private readonly PeriodicTimer _timer = new(TimeSpan.FromSeconds(2));
    private readonly Task _watching;

    public MemoryReturn() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _watching;
    }

    private async Task WatchAsync()
    {
        var (allocated, collections) = (0L, 0);
        while (await _timer.WaitForNextTickAsync())
        {
            var now = GC.GetTotalAllocatedBytes();
            collections = now - allocated > AtRest ? 0 : collections + 1;
            allocated = now;
            var held = Math.Max(GC.GetTotalMemory(false), GC.GetGCMemoryInfo().TotalCommittedBytes);
            if (held > Worthwhile && collections < MostAtRest)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }
        }
    }
}
