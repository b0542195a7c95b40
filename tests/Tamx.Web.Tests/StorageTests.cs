using System.Net.Sockets;
using Tamx.Testing;
using Tamx.Web.Runs;

namespace Tamx.Web.Tests;

/// <summary>Where the server's files lie, and what happens when they cannot be written.</summary>
[Collection(OneServer.Name)]
public sealed class StorageTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Fact]
    public void Folder_OfAServer_IsThisUsersAlone()
    {
        using var parent = new TemporaryFolder();
        string path;
        using (var folder = PrivateFolder.Create(parent.Path))
        {
            path = folder.Path;
            Assert.StartsWith(parent.File("tamx-serve"), path, StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
                Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.GetDirectoryName(path)!));
            }
        }

        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void Folder_OfAServerThatWasKilled_IsRemovedAndThatOfALivingOneIsNot()
    {
        using var parent = new TemporaryFolder();
        using var living = PrivateFolder.Create(parent.Path);
        var ours = Path.GetDirectoryName(living.Path)!;
        var abandoned = Directory.CreateDirectory(Path.Combine(ours, "run-abandoned")).FullName;
        File.WriteAllText(Path.Combine(abandoned, "lock"), "");
        Directory.CreateDirectory(Path.Combine(abandoned, "runs", "x"));

        // What links lead to is not ours, wherever in it they lie.
        using var elsewhere = new TemporaryFolder();
        File.WriteAllText(elsewhere.File("lock"), "");
        Directory.CreateSymbolicLink(Path.Combine(ours, "run-link"), elsewhere.Path);
        Directory.CreateSymbolicLink(Path.Combine(abandoned, "runs", "link"), elsewhere.Path);
        using var next = PrivateFolder.Create(parent.Path);
        Assert.False(Directory.Exists(abandoned));
        Assert.True(Directory.Exists(living.Path));
        Assert.True(File.Exists(elsewhere.File("lock")));
    }

    [Theory]
    [InlineData("mode")]
    [InlineData("link")]
    [InlineData("file")]
    [InlineData("owner")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Folder_ThatOthersCanReachInto_IsRefusedAndLeftAlone(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs Unix's owners and modes.");
        using var parent = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        var path = parent.File("tamx-serve");
        switch (kind)
        {
            case "mode":
                Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
                break;
            case "link":
                Directory.CreateSymbolicLink(path, elsewhere.Path);
                break;
            case "file":
                File.WriteAllText(path, "");
                break;
            default:
                Assert.SkipUnless(Environment.UserName == "root", "Needs the right to give a folder away.");
                Directory.CreateDirectory(path, OwnerOnly);
                using (var chown = System.Diagnostics.Process.Start("chown", ["12345", path]))
                {
                    chown.WaitForExit();
                }

                break;
        }

        var victim = Path.Combine(kind == "link" ? elsewhere.Path : path, "run-abandoned");
        if (kind != "file")
        {
            Directory.CreateDirectory(victim);
            File.WriteAllText(Path.Combine(victim, "lock"), "");
        }

        var fault = Assert.Throws<InvalidInputException>(() => PrivateFolder.Create(parent.Path).Dispose());
        Assert.Contains("XDG_RUNTIME_DIR", fault.Message, StringComparison.Ordinal);
        Assert.Equal(kind != "file", Directory.Exists(victim));
    }

    [Fact]
    public async Task Folder_InTheSharedTemporaryOne_IsNotTouched()
    {
        var bait = Directory.CreateTempSubdirectory("tamx-serve-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(bait, "lock"), "");
            await using var server = await RunningServer.StartAsync();
            Assert.True(File.Exists(Path.Combine(bait, "lock")));
        }
        finally
        {
            Directory.Delete(bait, recursive: true);
        }
    }

    [Fact]
    public async Task Runs_ThatCannotHaveAFolder_AreRefusedAndServedAfterwards()
    {
        await using var server = await RunningServer.StartAsync();
        var runs = Path.Combine(server.Server.FolderPath, "runs");
        Directory.Delete(runs);
        File.WriteAllText(runs, "");
        using var answer = await server.PostAsync(RunningServer.Question(RunningServer.Scene, maxTokens: 1));
        Assert.DoesNotContain(runs, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await RunningServer.AssertErrorAsync(answer, 503, "cannot_write");
        Assert.Contains("ready", await server.Client.GetStringAsync("/health"), StringComparison.Ordinal);
        Assert.Equal(0, await server.InProgressAsync());
        File.Delete(runs);
        Directory.CreateDirectory(runs);
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData(RunFiles.Trace)]
    [InlineData(RunFiles.Report)]
    public async Task Run_WhoseFilesCannotBeWritten_FailsAndTheNextIsServed(string name)
    {
        await using var server = await RunningServer.StartAsync();
        var worker = server.Server.WorkerId;
        var last = ("", default(System.Text.Json.JsonElement));
        await foreach (var entry in server.StreamAsync(RunningServer.Question(RunningServer.Scene)))
        {
            if (entry.Name == "run")
            {
                // A folder where a file should be: nobody can write that, whatever their rights.
                var run = entry.Data.GetProperty("run").GetString()!;
                Directory.CreateDirectory(Path.Combine(server.Server.FolderPath, "runs", run, name));
            }

            last = entry;
        }

        Assert.Equal("error", last.Item1);
        Assert.Equal("cannot_write", last.Item2.GetProperty("error").GetProperty("code").GetString());
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.Server.FolderPath, "runs")));
        await server.AssertServesAsync();
        Assert.Equal(worker, server.Server.WorkerId);
    }

    [Fact]
    public async Task Bodies_OfAllRequestsTogether_AreBounded()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                Limits = new RequestLimits { MaxBodyBytes = 100_000 },
            }
        );
        var slow = new List<TcpClient>();
        try
        {
            // Each but for its last bytes. Three fit; whichever comes last does not.
            var answers = new List<Task<string?>>();
            for (var i = 0; i < 4; i++)
            {
                var socket = new TcpClient();
                slow.Add(socket);
                await socket.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
                var stream = socket.GetStream();
                await stream.WriteAsync(
                    "POST /api/explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"u8.ToArray()
                );
                await stream.WriteAsync("Content-Length: 100000\r\n\r\n"u8.ToArray());
                await stream.WriteAsync(new byte[99_990]);
                answers.Add(new StreamReader(stream).ReadLineAsync());
            }

            Assert.Contains("429", await await Task.WhenAny(answers), StringComparison.Ordinal);
        }
        finally
        {
            slow.ForEach(socket => socket.Dispose());
        }

        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 0, "the slow requests' end");
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Worker_WithoutMemoryForAPicture_IsReplaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs env.");
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                WorkerCommand = ["env", "DOTNET_GCHeapHardLimit=0x5000000", .. AbortingWorker.Command],
            }
        );
        var worker = server.Server.WorkerId;
        using var image = new ImageMagick.MagickImage(ImageMagick.MagickColors.Red, 6000, 6000);
        image.Settings.SetDefine(ImageMagick.MagickFormat.Jpeg, "optimize-coding", "false");
        var large = image.ToByteArray(ImageMagick.MagickFormat.Jpeg);
        await RunningServer.AssertErrorAsync(
            await server.PostAsync(RunningServer.Question(large, maxTokens: 1)),
            503,
            "model_died"
        );
        await server.AssertServesAsync();
        Assert.NotEqual(worker, server.Server.WorkerId);
    }
}
