using System.Diagnostics;

namespace Tamx.Report.Tests;

/// <summary>Opens pages in a headless Chromium through its command line.</summary>
internal static class Chromium
{
    /// <summary>The browser, or null where none is installed.</summary>
    public static string? Path { get; } = Find();

    /// <summary>Opens <paramref name="url"/>, lets its scripts run, and returns the document as it is then, and what the console said.</summary>
    public static async Task<(string Document, string Console)> OpenAsync(string url, params string[] options)
    {
        string profile = Directory.CreateTempSubdirectory("tamx-chromium-").FullName;
        try
        {
            var start = new ProcessStartInfo(Path!) { RedirectStandardOutput = true, RedirectStandardError = true };
            string[] arguments =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", $"--user-data-dir={profile}",
                "--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000", "--dump-dom", .. options, url,
            ];
            foreach (string argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            using Process process = Process.Start(start)!;
            using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            Task<string> document = process.StandardOutput.ReadToEndAsync(timeout.Token);
            Task<string> log = process.StandardError.ReadToEndAsync(timeout.Token);
            try
            {
                await process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            string[] lines = (await log).Split('\n');
            return (await document, string.Join('\n', lines.Where(line => line.Contains(":CONSOLE", StringComparison.Ordinal))));
        }
        finally
        {
            Directory.Delete(profile, recursive: true);
        }
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }, System.IO.Path.Combine)
            .FirstOrDefault(File.Exists);
}
