using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Playwright;

namespace Tamx.Testing;

/// <summary>
/// axe-core (MPL-2.0, Deque Systems), which looks for what keeps people out; fetched as a pinned npm package once per
/// machine.
/// </summary>
public static class AxeCore
{
    private const string Package = "axe-core@4.14.1";
    private const string Sha512 =
        "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5";

    private static readonly Lazy<(string? Script, string? Fault)> Found = new(Find);

    /// <summary>Looks at a page as it is. Skips the test where axe-core cannot be had.</summary>
    /// <returns>What keeps people out: rule, element, what to do.</returns>
    public static async Task<string[]> FindViolationsAsync(IPage page)
    {
        (var script, var fault) = Found.Value;
        Assert.SkipWhen(script is null, fault ?? "");

        // As a debugger's script: the page's own policy lets no other script run.
        await page.EvaluateAsync(script!);
        var result = await page.EvaluateAsync("async () => (await axe.run()).violations");
        return
        [
            .. result!
                .Value.EnumerateArray()
                .SelectMany(violation =>
                    violation
                        .GetProperty("nodes")
                        .EnumerateArray()
                        .Select(node =>
                            $"{violation.GetProperty("id")}: {node.GetProperty("html")} {node.GetProperty("failureSummary")}"
                        )
                ),
        ];
    }

    private static (string? Script, string? Fault) Find()
    {
        var cache = Environment.GetEnvironmentVariable("TAMX_CACHE_DIR") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "tamx");
        var path = Path.Combine(cache, $"{Package}.js");
        if (!File.Exists(path))
        {
            var fault = Fetch(path);
            if (fault is not null)
            {
                return (null, fault);
            }
        }

        return (File.ReadAllText(path), null);
    }

    private static string? Fetch(string path)
    {
        var work = Directory.CreateTempSubdirectory("tamx-axe-");
        try
        {
            var start = new ProcessStartInfo(
                "npm",
                ["pack", Package, "--pack-destination", work.FullName, "--loglevel", "error", "--fetch-retries", "1"]
            )
            {
                WorkingDirectory = work.FullName,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using (var process = Process.Start(start)!)
            {
                process.OutputDataReceived += (_, _) => { };
                process.ErrorDataReceived += (_, _) => { };
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
                if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
                {
                    process.Kill(entireProcessTree: true);
                    return $"npm pack {Package} took too long.";
                }
            }

            var tarball = work.GetFiles("*.tgz").FirstOrDefault();
            if (tarball is null)
            {
                return $"Needs {Package}, which npm pack did not get (no network?).";
            }

            var bytes = File.ReadAllBytes(tarball.FullName);
            if (Convert.ToHexStringLower(SHA512.HashData(bytes)) != Sha512)
            {
                throw new InvalidDataException($"{Package} is not the package that is pinned.");
            }

            using var tar = new TarReader(new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress));
            for (var entry = tar.GetNextEntry(); entry is not null; entry = tar.GetNextEntry())
            {
                if (entry.Name == "package/axe.min.js")
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    WholeFile.Write(path, entry.DataStream!.CopyTo);
                    return null;
                }
            }

            throw new InvalidDataException($"{Package} holds no axe.min.js.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return $"Needs npm (Debian: apt-get install npm) to fetch {Package}.";
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
