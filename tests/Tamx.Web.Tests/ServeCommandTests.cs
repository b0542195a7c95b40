using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tamx.Web.Tests;

/// <summary><c>tamx serve</c> as a process of its own, as users start it.</summary>
[Collection(OneServer.Name)]
public sealed partial class ServeCommandTests
{
    [Fact]
    public async Task Serve_ToldToEnd_EndsWellAndLeavesNothing()
    {
        using var folder = new Testing.TemporaryFolder();
        using var serve = Start(folder.Path);
        var (address, worker) = await WaitAsync(serve);
        using (var client = new HttpClient { BaseAddress = address })
        {
            using var answer = await client.PostAsync(
                "/api/explain",
                JsonContent.Create(RunningServer.Question(RunningServer.Scene, maxTokens: 1))
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        Signals.Send(serve.Id, Signals.Terminate);
        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(Signals.Exists(worker));
        Assert.Empty(FilesIn(folder));
    }

    [Fact]
    public async Task Serve_Killed_TakesItsWorkerWithItAndTheNextOneTidiesUp()
    {
        using var folder = new Testing.TemporaryFolder();
        using (var killed = Start(folder.Path))
        {
            var (address, worker) = await WaitAsync(killed);
            using var client = new HttpClient { BaseAddress = address };
            using var answer = await client.PostAsync(
                "/api/explain",
                JsonContent.Create(RunningServer.Question(RunningServer.Scene, maxTokens: 1))
            );
            killed.Kill();
            await killed.WaitForExitAsync();

            // Nobody is left to kill it: it ends because its input does.
            await RunningServer.UntilAsync(() => !Signals.Exists(worker), "the worker's end");
        }

        Assert.Single(FilesIn(folder));
        using var serve = Start(folder.Path);
        await WaitAsync(serve);
        Assert.Single(FilesIn(folder));
        Signals.Send(serve.Id, Signals.Terminate);
        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Empty(FilesIn(folder));
    }

    /// <summary>Four at once, of which three fit; in each way in which a body may come.</summary>
    [Fact]
    public async Task Serve_AskedWithTheLargestBodies_TakesLessThan300MB()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc.");
        var large = new byte[9_800_000];
        RunningServer.Scene.CopyTo(large, 0);
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new { messages = new[] { RunningServer.Message("x", large, RunningServer.Scene, large) }, maxTokens = 1 }
        );
        object[] parts = [.. "abc".Select(name => new { type = "image", image = $"upload:{name}" })];
        Func<HttpContent>[] bodies =
        [
            () => Json(new ByteArrayContent(json)),
            () => Json(Chunked(json)),
            () =>
            {
                var form = new MultipartFormDataContent
                {
                    { RunningServer.JsonOf(RunningServer.Asking(parts)), "request" },
                };
                foreach (var name in "abc")
                {
                    form.Add(new ByteArrayContent(large), $"{name}", "x.jpg");
                }

                return form;
            },
        ];
        using var folder = new Testing.TemporaryFolder();
        using var serve = Start(folder.Path);
        var (address, _) = await WaitAsync(serve);
        using var client = new HttpClient { BaseAddress = address };
        var served = 0;
        foreach (var body in bodies)
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SendAsync(body)));
        }

        Assert.InRange(served, 6, 12);
        serve.Refresh();
        Assert.InRange(serve.PeakWorkingSet64, 1, 300_000_000);
        Signals.Send(serve.Id, Signals.Terminate);
        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

        // Its length cannot be told, so it goes in chunks.
        static StreamContent Chunked(byte[] content) =>
            new(System.IO.Pipelines.PipeReader.Create(new(content)).AsStream());

        static HttpContent Json(HttpContent content)
        {
            content.Headers.ContentType = new("application/json");
            return content;
        }

        async Task SendAsync(Func<HttpContent> body)
        {
            try
            {
                using var content = body();
                using var answer = await client.PostAsync("/api/explain", content);
                Assert.True((int)answer.StatusCode is 200 or 413 or 429, $"{(int)answer.StatusCode}");
                Interlocked.Add(ref served, answer.IsSuccessStatusCode ? 1 : 0);
            }
            catch (HttpRequestException)
            {
                // Refused before it was sent.
            }
        }
    }

    [Fact]
    public async Task Serve_WithFewDescriptorsAndManyConnections_AnswersAll()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs ulimit.");
        using var folder = new Testing.TemporaryFolder();
        using var serve = Start(folder.Path, folder.Path, ["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"]);
        var (address, _) = await WaitAsync(serve);
        var idle = new List<System.Net.Sockets.TcpClient>();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                var socket = new System.Net.Sockets.TcpClient();
                await socket.ConnectAsync(address.Host, address.Port);
                idle.Add(socket);
            }

            using var client = new HttpClient { BaseAddress = address };
            Assert.Contains("ready", await client.GetStringAsync("/health"), StringComparison.Ordinal);
            using var answer = await client.PostAsync(
                "/api/explain",
                JsonContent.Create(RunningServer.Question(RunningServer.Scene, maxTokens: 1))
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
            Signals.Send(serve.Id, Signals.Terminate);
        }

        Assert.DoesNotContain("   at ", await serve.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>A disk of the server's own, which is filled, or the folder of runs on it, which may no longer be written.</summary>
    [Theory]
    [InlineData("dd if=/dev/zero of=filler 2>/dev/null; true", "rm filler")]
    [InlineData(
        "cd tamx-serve/* && mount --bind runs runs && mount -o remount,bind,ro runs",
        "umount tamx-serve/*/runs"
    )]
    public async Task Serve_WhoseDiskCannotBeWritten_AnswersAndServesAfterwards(string spoil, string mend)
    {
        using var folder = new Testing.TemporaryFolder();
        using var serve = StartWithDisks(folder, folder.Path);
        var (address, worker) = await WaitAsync(serve);
        using var client = new HttpClient { BaseAddress = address };
        try
        {
            Inside(spoil);
            await RunningServer.AssertErrorAsync(await AskAsync(), 503, "cannot_write");
            Assert.Contains("ready", await client.GetStringAsync("/health"), StringComparison.Ordinal);
            Inside(mend);
            using var answer = await AskAsync();
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            Assert.True(Signals.Exists(worker));
        }
        finally
        {
            Signals.Send(serve.Id, Signals.Terminate);
        }

        Assert.DoesNotContain("   at ", await serve.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Task<HttpResponseMessage> AskAsync() =>
            client.PostAsync(
                "/api/explain",
                JsonContent.Create(RunningServer.Question(RunningServer.Scene, maxTokens: 1))
            );

        void Inside(string script)
        {
            string[] enter = ["-t", $"{serve.Id}", "--user", "--mount", "--preserve-credentials"];
            using var shell = Process.Start("nsenter", [.. enter, "sh", "-c", $"cd '{folder.Path}' && {script}"]);
            shell.WaitForExit();
            Assert.Equal(0, shell.ExitCode);
        }
    }

    [Fact]
    public async Task Serve_WithATemporaryFolderThatCannotBeWritten_Serves()
    {
        using var folder = new Testing.TemporaryFolder();
        using var temporary = new Testing.TemporaryFolder();
        using var serve = StartWithDisks(temporary, folder.Path, "ro");
        var (address, _) = await WaitAsync(serve);
        using var client = new HttpClient { BaseAddress = address };
        try
        {
            using var answer = await client.PostAsync(
                "/api/explain",
                JsonContent.Create(RunningServer.Question(RunningServer.Scene, maxTokens: 1))
            );
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
        finally
        {
            Signals.Send(serve.Id, Signals.Terminate);
        }

        await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(3, "listened on", "--port", "USED")]
    [InlineData(3, "no such file", "-m", "missing.gguf")]
    [InlineData(3, "API key", "--host", "0.0.0.0")]
    [InlineData(3, "--cors app.example.org: give scheme", "--cors", "*", "--cors", "app.example.org")]
    [InlineData(2, "--queue is -1", "--queue", "-1")]
    [InlineData(2, "--max-pictures is 0", "--max-pictures", "0")]
    public async Task Serve_ThatCannotStart_SaysWhyInOneLine(int exitCode, string message, params string[] arguments)
    {
        using var folder = new Testing.TemporaryFolder();
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        using var serve = Start(
            folder.Path,
            [.. arguments.Select(argument => argument == "USED" ? $"{port}" : argument)]
        );
        var error = await serve.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await serve.WaitForExitAsync();
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Equal(exitCode, serve.ExitCode);
        Assert.Empty(FilesIn(folder));
    }

    /// <summary>What servers have in their folder, and what else there may be.</summary>
    private static string[] FilesIn(Testing.TemporaryFolder folder)
    {
        var ours = folder.File("tamx-serve");
        return
        [
            .. Directory.GetFileSystemEntries(folder.Path).Where(path => path != ours),
            .. Directory.Exists(ours) ? Directory.GetFileSystemEntries(ours) : [],
        ];
    }

    /// <summary>Starts <c>tamx serve</c>, for which a folder is a small disk of its own.</summary>
    private static Process StartWithDisks(Testing.TemporaryFolder disk, string runtimeFolder, string mode = "rw")
    {
        var script = $"mount -t tmpfs -o size=4m,mode=700,{mode} none '{disk.Path}'";
        string[] unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c"];
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RunsWell([.. unshare, script]),
            "Needs Linux with unshare (util-linux) and the right to mount in a namespace of one's own."
        );
        return Start(disk.Path, runtimeFolder, [.. unshare, $"{script}; exec \"$@\"", "sh"]);

        static bool RunsWell(string[] command)
        {
            using var process = Process.Start(command[0], command[1..]);
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }

    private static Process Start(string temporaryFolder, params string[] arguments) =>
        Start(temporaryFolder, temporaryFolder, [], arguments);

    /// <summary>Starts <c>tamx serve</c>.</summary>
    /// <param name="temporaryFolder">The folder for what does not last.</param>
    /// <param name="runtimeFolder">Where it has its files.</param>
    /// <param name="under">A program that runs the one whose command line follows.</param>
    /// <param name="arguments">What follows <c>serve</c>.</param>
    private static Process Start(
        string temporaryFolder,
        string runtimeFolder,
        string[] under,
        params string[] arguments
    )
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Tamx.Cli.dll");
        string[] command = [.. under, "dotnet", program, "serve", "-t", "1", .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true };
        if (!arguments.Contains("--port"))
        {
            start.ArgumentList.Add("--port");
            start.ArgumentList.Add("0");
        }

        start.Environment["TMPDIR"] = temporaryFolder;
        start.Environment["XDG_RUNTIME_DIR"] = runtimeFolder;

        // The runtime's own sockets in the temporary folder are no affair of these tests.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    /// <summary>Waits until a server says where it listens.</summary>
    /// <returns>Where, and its worker's id.</returns>
    private static async Task<(Uri Address, int Worker)> WaitAsync(Process serve)
    {
        var said = "";
        while (await serve.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
        {
            said += line + "\n";
            if (AddressPattern().Match(line) is { Success: true } match)
            {
                var child = Directory
                    .GetDirectories("/proc")
                    .Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0)
                    .Single(id => id > 0 && ParentOf(id) == serve.Id);
                return (new Uri(match.Value), child);
            }
        }

        throw new InvalidOperationException($"tamx serve ended: {said}");
    }

    private static int ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(
                stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1],
                System.Globalization.CultureInfo.InvariantCulture
            );
        }
        catch (IOException)
        {
            return 0;
        }
    }

    [GeneratedRegex("http://[0-9.:]+/")]
    private static partial Regex AddressPattern();
}
