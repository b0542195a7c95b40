using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Llama.Media;

/// <summary>Another program, whose output is read while it runs. It never outlives this object.</summary>
internal sealed partial class PipedProcess : IDisposable
{
    private const int MaxErrorLines = 50;

    /// <summary>Private memory of the program, on Linux.</summary>
    private const ulong MostBytes = 4UL << 30;

    /// <summary>How long it may be silent, and how long it may take in all.</summary>
    private static readonly TimeSpan MostSilence = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(30);

    private readonly Process _process;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _cancellation;
    private readonly CancellationTokenSource _clock = new(MostSilence);
    private readonly CancellationTokenRegistration _ring;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Queue<string> _errorLines = new();

    private PipedProcess(Process process, CancellationToken cancellationToken)
    {
        _process = process;
        _cancellationToken = cancellationToken;
        _process.ErrorDataReceived += (_, line) => KeepErrorLine(line.Data);
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
        _cancellation = cancellationToken.Register(Kill);
        _ring = _clock.Token.Register(Kill);
        LimitMemory(process.Id);
    }

    /// <summary>What the program writes.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>
    /// Looks for a program in the folders of the PATH, never beside this one or in the current folder.
    /// </summary>
    /// <returns>Its path, or null.</returns>
    public static string? Find(string program)
    {
        string[] endings = OperatingSystem.IsWindows() ? [".exe"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, program + ending)))
            .FirstOrDefault(IsExecutable);
    }

    /// <summary>Starts a program.</summary>
    /// <param name="path">The program's full path.</param>
    /// <param name="arguments">Its arguments, one by one; no shell sees them.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <exception cref="InvalidInputException">It cannot be started.</exception>
    public static PipedProcess Start(string path, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(path)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            return new PipedProcess(Process.Start(start)!, cancellationToken);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new InvalidInputException($"{path} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Waits for the program to end, after its output was read.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="OperationCanceledException">It was killed for cancellation.</exception>
    /// <exception cref="InvalidInputException">It took too long.</exception>
    public int Wait()
    {
        _process.WaitForExit();
        _cancellationToken.ThrowIfCancellationRequested();
        return _clock.IsCancellationRequested ? throw TooSlow() : _process.ExitCode;
    }

    /// <summary>Says that output came, so that the program is not taken for one that hangs.</summary>
    /// <exception cref="InvalidInputException">It has taken too long in all.</exception>
    public void NoteOutput()
    {
        if (Stopwatch.GetElapsedTime(_started) > MostTime)
        {
            throw TooSlow();
        }

        _clock.CancelAfter(MostSilence);
    }

    /// <summary>The last line of the program's errors, after <see cref="Wait"/>; empty if there is none.</summary>
    public string LastError()
    {
        lock (_errorLines)
        {
            return _errorLines.LastOrDefault(line => line.Length > 0) ?? "";
        }
    }

    public void Dispose()
    {
        _cancellation.Dispose();
        _ring.Dispose();
        _clock.Dispose();
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private InvalidInputException TooSlow() =>
        new(
            $"{_process.StartInfo.FileName} takes too long: {MostTime.TotalMinutes} minutes in all and "
                + $"{MostSilence.TotalMinutes} without output are the limits; cut the video into shorter ones"
        );

    /// <summary>Bounds what the program may allocate. It fails at an allocation then, and says so.</summary>
    private static void LimitMemory(int process)
    {
        // RLIMIT_DATA: private memory, without what is only reserved.
        const int Data = 2;
        if (OperatingSystem.IsLinux())
        {
            var limit = new Limit { Current = MostBytes, Most = MostBytes };
            _ = SetLimit(process, Data, in limit, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "prlimit")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int SetLimit(int process, int resource, in Limit limit, nint old);

    private struct Limit
    {
        public ulong Current;
        public ulong Most;
    }

    private static bool IsExecutable(string path)
    {
        const UnixFileMode Executable =
            UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & Executable) != 0);
    }

    private void KeepErrorLine(string? line)
    {
        lock (_errorLines)
        {
            if (line is not null)
            {
                _errorLines.Enqueue(line.Length <= 500 ? line.Trim() : line[..500].Trim());
            }

            while (_errorLines.Count > MaxErrorLines)
            {
                _errorLines.Dequeue();
            }
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }
}
