namespace Tamx.Web;

/// <summary>Gives memory back after large requests.</summary>
/// <remarks>
/// Left alone, the collector keeps what the largest requests took until it needs it again, which may be never.
/// </remarks>
internal sealed class MemoryReturn : IAsyncDisposable
{
    private const long Worthwhile = 64 << 20;

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
        // What is in use cannot be given back. Only growth beyond it is worth a look.
        for (var kept = 0L; await _timer.WaitForNextTickAsync(); )
        {
            var held = Math.Max(GC.GetTotalMemory(false), GC.GetGCMemoryInfo().TotalCommittedBytes);
            if (held > kept + Worthwhile)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                kept = GC.GetGCMemoryInfo().TotalCommittedBytes;
            }
            else
            {
                kept = Math.Min(kept, held);
            }
        }
    }
}
