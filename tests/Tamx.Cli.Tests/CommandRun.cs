using System.Diagnostics;
using System.Text;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>One command line, run in this process with its output captured.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output, if it was captured as bytes.</summary>
    public byte[] OutputBytes { get; private init; } = [];

    public static Task<CommandRun> Of(IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) =>
        Of(arguments, [], cancellationToken: cancellationToken);

    /// <summary>The same, with a standard input.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="terminal">Whether standard output is a terminal.</param>
    /// <param name="watch">Called with what standard output has, whenever text is written to it.</param>
    /// <param name="cancellationToken">Does what a second Ctrl+C does.</param>
    public static async Task<CommandRun> Of(
        IReadOnlyList<string> arguments,
        byte[] input,
        bool terminal = false,
        Action<string, Interruption>? watch = null,
        CancellationToken cancellationToken = default
    )
    {
        using var interruption = new Interruption();
        using var cancellation = cancellationToken.Register(() =>
        {
            interruption.Press();
            interruption.Press();
        });
        using var bytes = new MemoryStream();
        using var output = new WatchedWriter(
            bytes,
            () => watch?.Invoke(Encoding.UTF8.GetString(bytes.ToArray()), interruption)
        )
        {
            AutoFlush = true,
        };
        using var error = new StringWriter();
        var context = new CommandContext
        {
            Output = output,
            Error = error,
            OpenInput = () => new MemoryStream(input),
            OpenOutput = () => new UnclosedStream(bytes),
            OutputIsTerminal = terminal,
            Interruption = interruption,
        };
        var exitCode = await CommandLine.RunAsync(arguments, context);
        return new CommandRun(exitCode, Encoding.UTF8.GetString(bytes.ToArray()), error.ToString())
        {
            OutputBytes = bytes.ToArray(),
        };
    }

    /// <summary>One command line, run in a process of its own.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="folder">The current folder.</param>
    /// <param name="environment">Environment variables that are to be different.</param>
    public static Task<CommandRun> OfProcess(
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    ) => OfProcess(typeof(CommandLine).Assembly.Location, arguments, folder, environment);

    /// <summary>The same, of a program that lies elsewhere.</summary>
    public static Task<CommandRun> OfProcess(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    ) => OfProgram(ChildProcess.Dotnet, [program, .. arguments], folder, environment);

    /// <summary>Any program.</summary>
    public static async Task<CommandRun> OfProgram(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CommandRun(process.ExitCode, await output, error);
    }

    /// <summary>Holds the run to a failure of one line that says something.</summary>
    public void AssertFails(int exitCode, string message)
    {
        Assert.Contains(message, Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, ExitCode);
        Assert.Equal(string.Empty, Output);
        Assert.StartsWith("tamx: ", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n', '\r').Split('\n'));
    }

    /// <summary>Text on its way to a stream, which somebody watches.</summary>
    private sealed class WatchedWriter(Stream stream, Action written)
        : StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true)
    {
        public override void Write(string? value)
        {
            base.Write(value);
            written();
        }
    }

    /// <summary>A stream that stays open when its user closes it, as standard output does.</summary>
    private sealed class UnclosedStream(Stream inner) : Stream
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

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
