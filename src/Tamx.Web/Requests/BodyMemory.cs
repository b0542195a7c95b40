using Tamx.Web.Runs;

namespace Tamx.Web.Requests;

/// <summary>The memory of a request's body: one array, counted before it is allocated.</summary>
/// <remarks>
/// A body that says its length gets so much. One that does not (chunks) grows up to a megabyte, and then gets what the
/// largest may have: nothing large is ever copied.
/// </remarks>
internal sealed class BodyMemory
{
    private const int FirstBytes = 1 << 14;
    private const int MostGrowth = 1 << 20;

    private readonly RequestLimits _limits;
    private readonly ModelQueue.Place _place;
    private byte[] _bytes = [];
    private int _count;

    /// <param name="length">What the request says, if anything.</param>
    /// <param name="limits">What the largest body may have.</param>
    /// <param name="place">Where the bytes are counted.</param>
    /// <exception cref="ApiException">429: the bodies of all requests have too many.</exception>
    public BodyMemory(long? length, RequestLimits limits, ModelQueue.Place place)
    {
        _limits = limits;
        _place = place;
        Grow(length ?? FirstBytes, 0);
    }

    /// <summary>All bytes of a stream: the body, or a part of it.</summary>
    /// <exception cref="ApiException">The body is too large, or the bodies of all requests are.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        var start = _count;
        while (true)
        {
            if (_count == _bytes.Length)
            {
                // A body that said its length is over here.
                var next = new byte[1];
                if (await stream.ReadAsync(next, cancellationToken) == 0)
                {
                    break;
                }

                var wanted = _bytes.Length < MostGrowth ? 2L * _bytes.Length : _limits.MaxBodyBytes;
                Grow(Math.Min(Math.Max(wanted, FirstBytes), _limits.MaxBodyBytes), _count - start);
                start = 0;
                _bytes[_count++] = next[0];
            }

            var count = await stream.ReadAsync(_bytes.AsMemory(_count), cancellationToken);
            if (count == 0)
            {
                break;
            }

            _count += count;
        }

        return _bytes.AsMemory(start, _count - start);
    }

    /// <summary>Gives the body up, but for its bytes that are files of the request.</summary>
    public void LetGo() => _place.NoteGarbage(_bytes.Length);

    /// <summary>Goes on in a larger array. What was read before stays where it is, but for the last bytes.</summary>
    private void Grow(long length, int kept)
    {
        if (length <= _bytes.Length && length > 0)
        {
            throw RequestBody.TooLarge(_limits);
        }

        _place.Take((int)(length - _bytes.Length));
        var larger = GC.AllocateUninitializedArray<byte>((int)length);
        _bytes.AsSpan(_count - kept, kept).CopyTo(larger);
        (_bytes, _count) = (larger, kept);
    }
}
