namespace Tamx.Web.Runs;

/// <summary>Who may use the model: one request at a time, in the order in which they arrived in full.</summary>
/// <param name="length">Requests that may wait; one more is worked on.</param>
/// <param name="mostBytes">Bytes of the bodies of them all.</param>
internal sealed class ModelQueue(int length, long mostBytes)
{
    /// <summary>Share of the memory for bodies that those nobody needs any more may take.</summary>
    private const int GarbageShare = 6;

    private readonly Lock _gate = new();
    private readonly List<Place> _line = [];
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _taken;
    private long _bytes;
    private long _garbage;

    /// <summary>Requests that are read, wait, or are worked on.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _taken;
            }
        }
    }

    /// <summary>
    /// Takes a place. That comes before reading the body, so that the bodies in memory are bounded too.
    /// </summary>
    /// <exception cref="ApiException">429: no place is free.</exception>
    public Place Enter()
    {
        lock (_gate)
        {
            if (_taken > length)
            {
                throw Full($"{_taken} requests are being served or wait already");
            }

            _taken++;
            return new Place(this, mostBytes);
        }
    }

    private static ApiException Full(string why) =>
        new(429, "queue_full", $"{why}; try again in a little while", retryAfterSeconds: 5);

    /// <summary>A place in the queue, until it is disposed of.</summary>
    public sealed class Place(ModelQueue queue, long mostBytes) : IDisposable
    {
        private bool _isGone;
        private long _bytes;

        /// <summary>Counts bytes of the request's body, before they are allocated.</summary>
        /// <exception cref="ApiException">429: the bodies of all requests have too many.</exception>
        public void Take(int count)
        {
            bool isDue;
            lock (queue._gate)
            {
                if (queue._bytes + count > mostBytes)
                {
                    throw Full("the requests that are being served or wait take all the memory there is for them");
                }

                queue._bytes += count;
                _bytes += count;
                isDue = queue._garbage + count > mostBytes / GarbageShare && queue._garbage > 0;
                queue._garbage = isDue ? 0 : queue._garbage;
            }

            if (isDue)
            {
                // Left alone, the collector lets bodies that nobody needs any more pile up to a GB.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            }
        }

        /// <summary>Says that so many bytes that were counted are needed no more.</summary>
        public void NoteGarbage(int count)
        {
            lock (queue._gate)
            {
                queue._garbage += count;
            }
        }

        /// <summary>Waits until it is this request's turn.</summary>
        /// <param name="onMoved">
        /// Told how many are before it: at first, and whenever that changes. Not told where there is none.
        /// </param>
        /// <param name="cancellationToken">Ends the waiting.</param>
        public async Task WaitAsync(Func<int, Task> onMoved, CancellationToken cancellationToken)
        {
            lock (queue._gate)
            {
                queue._line.Add(this);
            }

            for (var last = 0; ; )
            {
                int position;
                Task moved;
                lock (queue._gate)
                {
                    position = queue._line.IndexOf(this);
                    moved = queue._moved.Task;
                }

                if (position == 0)
                {
                    return;
                }

                if (position != last)
                {
                    last = position;
                    await onMoved(position);
                }

                await moved.WaitAsync(cancellationToken);
            }
        }

        public void Dispose()
        {
            lock (queue._gate)
            {
                if (_isGone)
                {
                    return;
                }

                _isGone = true;
                queue._taken--;
                queue._bytes -= _bytes;
                queue._garbage += _bytes;
                queue._line.Remove(this);
                queue._moved.SetResult();
                queue._moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
