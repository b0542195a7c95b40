using System.Buffers.Binary;
using System.Text;

namespace Tamx.Llama.Gguf;

/// <summary>
/// Reads the head of a GGUF file forward. Each length is checked against what is left of the file before anything is
/// allocated.
/// </summary>
internal sealed class GgufReader(string path, Stream stream, long fileBytes)
{
    /// <summary>Key and tensor names longer than this are refused.</summary>
    private const int MaxNameBytes = 65535;

    /// <summary>Metadata beyond this is refused; a vocabulary of 151,936 tokens with its merges takes 8 MB.</summary>
    private const long MaxHeadBytes = 512L * 1024 * 1024;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes that the file still holds.</summary>
    public long Remaining => fileBytes - Position;

    public uint ReadUInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong ReadUInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A count of things that take at least <paramref name="bytesEach"/> bytes each.</summary>
    public int ReadCount(int bytesEach, int limit, string what)
    {
        var count = ReadUInt64($"the number of {what}");
        var room = (ulong)(Remaining / bytesEach);
        if (count > room)
        {
            throw Error($"{count} {what} are declared, but the rest of the file has room for {room} at most");
        }

        if (count > (ulong)limit)
        {
            throw Error($"{count} {what} are declared; at most {limit} are accepted");
        }

        return (int)count;
    }

    public string ReadName(string what)
    {
        var length = ReadTextLength(what);
        if (length is 0 or > MaxNameBytes)
        {
            throw Error($"{what} is {length} bytes long; 1 to {MaxNameBytes} are allowed");
        }

        var bytes = new byte[length];
        Fill(bytes, what);
        try
        {
            return GgufValue.StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw Error($"{what} is not valid UTF-8", exception);
        }
    }

    public GgufValue ReadValue(string key)
    {
        var type = ReadType(key);
        if (type == GgufValueType.Text)
        {
            var text = new byte[ReadTextLength(key)];
            Fill(text, key);
            return new GgufValue(type, type, 1, text, [text.Length]);
        }

        if (type != GgufValueType.Array)
        {
            var single = new byte[GgufValue.SizeOf(type)];
            Fill(single, key);
            return new GgufValue(type, type, 1, single, null);
        }

        var elementType = ReadType(key);
        if (elementType == GgufValueType.Array)
        {
            throw Error($"{key} is an array of arrays, which llama.cpp does not read");
        }

        if (elementType == GgufValueType.Text)
        {
            return ReadTexts(key);
        }

        var size = GgufValue.SizeOf(elementType);
        var count = ReadCount(size, (int)(MaxHeadBytes / size), $"elements of {key}");
        var bytes = new byte[count * size];
        Fill(bytes, key);
        return new GgufValue(type, elementType, count, bytes, null);
    }

    public ModelFormatException Error(string message, Exception? innerException = null) =>
        new(path, message, innerException);

    private GgufValue ReadTexts(string key)
    {
        var count = ReadCount(sizeof(ulong), (int)(MaxHeadBytes / sizeof(ulong)), $"elements of {key}");
        var ends = new int[count];
        var bytes = new byte[Math.Min(Remaining - ((long)count * sizeof(ulong)), (long)count * 8)];
        var used = 0;
        for (var i = 0; i < count; i++)
        {
            var length = ReadTextLength(key);
            if (length > bytes.Length - used)
            {
                Array.Resize(ref bytes, (int)Math.Min(Math.Max(used + (long)length, used * 2L), MaxHeadBytes));
            }

            Fill(bytes.AsSpan(used, length), key);
            used += length;
            ends[i] = used;
        }

        return new GgufValue(GgufValueType.Array, GgufValueType.Text, count, bytes, ends);
    }

    private int ReadTextLength(string what)
    {
        var length = ReadUInt64(what);
        if (length > (ulong)Remaining)
        {
            throw Error($"{what} claims {length} bytes, but the file ends after {Remaining}");
        }

        // Position counts every byte read, so the sum of all texts stays below the limit and fits an int.
        if (Position + (long)length > MaxHeadBytes)
        {
            throw Error($"the metadata exceeds {MaxHeadBytes} bytes at {what}");
        }

        return (int)length;
    }

    private GgufValueType ReadType(string key)
    {
        var type = ReadUInt32($"the type of {key}");
        return type <= (uint)GgufValueType.F64
            ? (GgufValueType)type
            : throw Error($"{key} has the unknown value type {type}; 0 to 12 exist");
    }

    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (_end - _start < count)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            while (_end < count)
            {
                var read = stream.Read(_buffer, _end, _buffer.Length - _end);
                if (read == 0)
                {
                    throw Ended(what);
                }

                _end += read;
            }
        }

        var bytes = _buffer.AsSpan(_start, count);
        _start += count;
        Position += count;
        return bytes;
    }

    private void Fill(Span<byte> destination, string what)
    {
        if (destination.Length > Remaining)
        {
            throw Ended(what);
        }

        var buffered = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        _start += buffered;
        var rest = destination[buffered..];
        if (stream.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length)
        {
            throw Ended(what);
        }

        Position += destination.Length;
    }

    private ModelFormatException Ended(string what) =>
        Error($"the file ends at byte {fileBytes}, inside {what}; it is truncated (download or copy it again)");
}
