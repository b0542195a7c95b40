using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>
/// Two pinned buffers between the program's memory and the device's. While one is on the bus, the other is filled or
/// emptied. An upload returns when its last piece is in a pinned buffer, so that copying the next slice overlaps with
/// kernels.
/// </summary>
/// <remarks>
/// The context must be current at every call. Copies go through the default stream, so they happen in order with
/// launches.
/// </remarks>
internal sealed unsafe class PinnedStaging
{
    /// <summary>Large enough for the bus to reach its rate, small enough to stay in a CPU's cache.</summary>
    public const int BufferSize = 4 << 20;

    private readonly nint[] _buffers = new nint[2];

    /// <summary>Events, each recorded after the last copy of its buffer.</summary>
    private readonly nint[] _signals = new nint[2];

    private int _next;

    /// <summary>Allocates the buffers, at the first call.</summary>
    /// <returns>Success, or the driver's status. <see cref="Free"/> frees what was allocated in either case.</returns>
    public int Reserve()
    {
        var status = Success;
        for (var i = 0; i < 2 && status == Success; i++)
        {
            if (_signals[i] == 0)
            {
                status = EventCreate(out _signals[i], EventDisableTiming);
            }

            if (_buffers[i] == 0 && status == Success)
            {
                status = HostAllocate(out _buffers[i], BufferSize);
            }
        }

        return status;
    }

    /// <summary>Copies to the device. The source may be changed when this returns.</summary>
    /// <returns>The driver's status.</returns>
    public int Upload(nint memory, byte* source, long bytes)
    {
        var status = Success;
        for (var start = 0L; start < bytes && status == Success; start += BufferSize)
        {
            var size = (nuint)Math.Min(BufferSize, bytes - start);

            // Waiting for an event that was never recorded returns at once.
            status = EventSynchronize(_signals[_next]);
            if (status == Success)
            {
                Buffer.MemoryCopy(source + start, (void*)_buffers[_next], BufferSize, (long)size);
                status = StartCopyToDevice(memory + (nint)start, (void*)_buffers[_next], size, 0);
            }

            status = status == Success ? EventRecord(_signals[_next], 0) : status;
            _next ^= 1;
        }

        return status;
    }

    /// <summary>Copies from the device.</summary>
    /// <returns>The driver's status.</returns>
    public int Download(byte* destination, nint memory, long bytes)
    {
        var status = Success;
        for (long start = -BufferSize; start < bytes && status == Success; start += BufferSize)
        {
            // The next piece is started before this one is copied out of its buffer.
            var following = start + BufferSize;
            if (following < bytes)
            {
                // An upload may still use the buffer. The stream keeps the order.
                var size = (nuint)Math.Min(BufferSize, bytes - following);
                status = StartCopyToHost((void*)_buffers[_next], memory + (nint)following, size, 0);
                status = status == Success ? EventRecord(_signals[_next], 0) : status;
            }

            _next ^= 1;
            if (start >= 0 && status == Success)
            {
                status = EventSynchronize(_signals[_next]);
                if (status == Success)
                {
                    var size = Math.Min(BufferSize, bytes - start);
                    Buffer.MemoryCopy((void*)_buffers[_next], destination + start, size, size);
                }
            }
        }

        return status;
    }

    /// <summary>Frees everything, once all copies have ended.</summary>
    public void Free()
    {
        for (var i = 0; i < 2; i++)
        {
            if (_signals[i] != 0)
            {
                _ = EventSynchronize(_signals[i]);
                _ = EventDestroy(_signals[i]);
            }

            if (_buffers[i] != 0)
            {
                _ = HostFree(_buffers[i]);
            }

            (_signals[i], _buffers[i]) = (0, 0);
        }
    }
}
