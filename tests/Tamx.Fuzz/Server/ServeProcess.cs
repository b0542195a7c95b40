using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary><c>tamx serve</c> with the demo model, as users start it, with all that it logs.</summary>
internal sealed partial class ServeProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly List<string> _log = [];
    private readonly TaskCompletionSource<Uri> _address = new();

    public ServeProcess()
    {
        // Its files lie in a folder of its own; they go with it.
        var start = new ProcessStartInfo(
            ChildProcess.Dotnet,
            [Path.Combine(AppContext.BaseDirectory, "Tamx.Cli.dll"), "serve", "--port", "0", "--threads", "1"]
        )
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Address = _address.Task.WaitAsync(Patience).GetAwaiter().GetResult();
        Client = new HttpClient { BaseAddress = Address, Timeout = Patience };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>Resident megabytes of the server.</summary>
    public long Megabytes => MegabytesOf(_process.Id, "VmRSS");

    /// <summary>Most that the server ever had.</summary>
    public long PeakMegabytes => MegabytesOf(_process.Id, "VmHWM");

    /// <summary>Resident megabytes of the worker; 0 where there is none.</summary>
    public long WorkerMegabytes => WorkerId is { } id ? MegabytesOf(id, "VmRSS") : 0;

    /// <summary>The worker's process, or null.</summary>
    public int? WorkerId => Children().Cast<int?>().FirstOrDefault();

    /// <summary>What it logged, from some line on.</summary>
    public string[] LogFrom(int line)
    {
        lock (_log)
        {
            return [.. _log.Skip(line)];
        }
    }

    /// <summary>A request that must be served: a picture, a question, one token.</summary>
    /// <exception cref="InvalidDataException">It was not.</exception>
    public async Task<string> AskAsync(byte[] picture, string question, int maxTokens = 1, bool mayFail = false)
    {
        var url = "data:image/jpeg;base64," + Convert.ToBase64String(picture);
        object[] content = [new { type = "image", image = url }, new { type = "text", text = question }];
        using var answer = await Client.PostAsync(
            "/api/explain",
            JsonContent.Create(new { messages = new[] { new { role = "user", content } }, maxTokens })
        );
        var body = await answer.Content.ReadAsStringAsync();
        if (answer.IsSuccessStatusCode)
        {
            return JsonDocument.Parse(body).RootElement.GetProperty("answer").GetRawText();
        }

        return mayFail
            ? $"{(int)answer.StatusCode}"
            : throw new InvalidDataException($"a sound request: {(int)answer.StatusCode} {body}");
    }

    public void Dispose()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            if (!_process.WaitForExit(20_000))
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            _address.TrySetException(
                new InvalidOperationException($"tamx serve ended: {string.Join('\n', LogFrom(0))}")
            );
            return;
        }

        lock (_log)
        {
            _log.Add(line);
        }

        if (AddressPattern().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri(match.Value));
        }
    }

    /// <summary>A child belongs to the thread that started it.</summary>
    private IEnumerable<int> Children() =>
        Directory
            .GetDirectories($"/proc/{_process.Id}/task")
            .SelectMany(task => ChildrenOf(task).Split(' '))
            .Where(id => id.Length > 0)
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture));

    private static string ChildrenOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "children"));
        }
        catch (IOException)
        {
            // The thread has ended.
            return "";
        }
    }

    private static long MegabytesOf(int process, string field)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(text => text.StartsWith(field, StringComparison.Ordinal));
            return line is null
                ? 0
                : long.Parse(
                    line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal),
                    CultureInfo.InvariantCulture
                ) >> 10;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    [GeneratedRegex("http://[0-9.:]+/")]
    private static partial Regex AddressPattern();
}
