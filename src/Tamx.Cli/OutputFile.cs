namespace Tamx.Cli;

/// <summary>
/// A file that a command writes, which appears whole or not at all; or standard output, if its name is <c>-</c>.
/// </summary>
internal static class OutputFile
{
    /// <summary>Writes one. Cancelling leaves no file.</summary>
    public static async Task WriteAsync(
        CommandContext context,
        string path,
        Func<Stream, Task> write,
        CancellationToken cancellationToken
    )
    {
        if (path != StandardStream.Name)
        {
            await WholeFile.WriteAsync(path, stream => write(new CancellableStream(stream, cancellationToken)));
            return;
        }

        await using var output = context.OpenOutput();
        await write(new CancellableStream(output, cancellationToken));
        await output.FlushAsync(cancellationToken);
    }

    /// <inheritdoc cref="WriteAsync(CommandContext, string, Func{Stream, Task}, CancellationToken)"/>
    public static Task WriteAsync(
        CommandContext context,
        string path,
        Action<Stream> write,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            context,
            path,
            stream =>
            {
                write(stream);
                return Task.CompletedTask;
            },
            cancellationToken
        );

    /// <summary>What a user calls it.</summary>
    public static string Describe(string path) => path == StandardStream.Name ? "stdout" : path;

    /// <summary>A stream to write to until somebody cancels.</summary>
    private sealed class CancellableStream(Stream inner, CancellationToken cancellationToken) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            cancellationToken.ThrowIfCancellationRequested();
            inner.Write(buffer);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken token = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return inner.WriteAsync(buffer, token);
        }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken token) => inner.FlushAsync(token);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
