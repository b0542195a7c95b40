using System.Buffers.Binary;

namespace Tamx.Web.Wire;

/// <summary>Frames over a pair of pipes. One reader; any number of writers.</summary>
internal sealed class FrameStream(Stream input, Stream output) : IDisposable
{
    /// <summary>Most bytes of a frame. A token's maps and candidates take a few MB at most.</summary>
    public const int MaxContent = 256 << 20;

    private const int HeadSize = 5;

    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>The next frame; null at the end of the stream, even if that comes within a frame.</summary>
    /// <exception cref="InvalidDataException">What came is no frame.</exception>
    /// <remarks>
    /// It blocks. A read of a pipe holds a thread either way, and that had better not be one of the pool's.
    /// </remarks>
    public Frame? Read()
    {
        Span<byte> head = stackalloc byte[HeadSize];
        if (input.ReadAtLeast(head, HeadSize, throwOnEndOfStream: false) < HeadSize)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(head[1..]);
        if (!Enum.IsDefined((FrameKind)head[0]) || length > MaxContent)
        {
            throw new InvalidDataException($"no frame: kind {head[0]}, {length} bytes");
        }

        var content = new byte[length];
        return input.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) < content.Length
            ? null
            : new Frame((FrameKind)head[0], content);
    }

    public async Task WriteAsync(FrameKind kind, ReadOnlyMemory<byte> content)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            // A frame that was begun is written to its end, or nobody could read what follows.
            await output.WriteAsync(HeadOf(kind, content.Length), CancellationToken.None).ConfigureAwait(false);
            await output.WriteAsync(content, CancellationToken.None).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Write(FrameKind kind, ReadOnlySpan<byte> content)
    {
        _writing.Wait();
        try
        {
            output.Write(HeadOf(kind, content.Length));
            output.Write(content);
            output.Flush();
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    private static byte[] HeadOf(FrameKind kind, int length)
    {
        if (length > MaxContent)
        {
            throw new InvalidDataException($"a frame of {length} bytes; at most {MaxContent} fit");
        }

        var head = new byte[HeadSize];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(1), (uint)length);
        return head;
    }
}
