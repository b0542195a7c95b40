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
        // At rest too: pools of arrays let go of theirs after some collections only.
        while (await _timer.WaitForNextTickAsync())
        {
            var held = Math.Max(GC.GetTotalMemory(false), GC.GetGCMemoryInfo().TotalCommittedBytes);
            if (held > Worthwhile)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }
        }
    }
}
