using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Tamx.Llama.Media;

/// <summary>Another program, whose output is read while it runs. It never outlives this object.</summary>
internal sealed class PipedProcess : IDisposable
{
    private const int MaxErrorLines = 50;

    private readonly Process _process;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _cancellation;
    private readonly Queue<string> _errorLines = new();

    private PipedProcess(Process process, CancellationToken cancellationToken)
    {
        _process = process;
        _cancellationToken = cancellationToken;
        _process.ErrorDataReceived += (_, line) => KeepErrorLine(line.Data);
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
        _cancellation = cancellationToken.Register(Kill);
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
    public int Wait()
    {
        _process.WaitForExit();
        _cancellationToken.ThrowIfCancellationRequested();
        return _process.ExitCode;
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
        Kill();
        _process.WaitForExit();
        _process.Dispose();
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
