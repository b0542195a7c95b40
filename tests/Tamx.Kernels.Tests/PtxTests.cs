using System.ComponentModel;
using System.Diagnostics;
using Tamx.Kernels.Devices;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class PtxTests
{
    public static TheoryData<string> Kernels => [.. DeviceKernel.All.Select(kernel => $"{kernel.Name} {kernel.WindowSide}")];

    /// <summary>What is committed is what the sources give: nobody can read PTX to see whether it does what they say.</summary>
    [ClangFact]
    public void BuildPtx_FromTheSources_GivesTheEmbeddedText()
    {
        using var folder = new TemporaryFolder();
        string script = Path.Combine(ClangFactAttribute.Kernels, "build-ptx");
        using var process = Process.Start(new ProcessStartInfo("bash", [script, folder.Path]) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();

        Assert.Equal((0, string.Empty), (process.ExitCode, error));
        Assert.Equal(DeviceKernel.All.Count, Directory.GetFiles(folder.Path).Length);
        foreach (var kernel in DeviceKernel.All)
        {
            string name = kernel.WindowSide == 0 ? kernel.Name : $"{kernel.Name}_{kernel.WindowSide}";
            Assert.True(File.ReadAllText(folder.File(name + ".ptx")) == kernel.ReadPtx(), $"{name}.ptx is not what build-ptx makes of the sources; run it");
        }
    }

    /// <summary>A chip of 2016, no function but those of the sources, and no window that spills out of the registers.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Ptx_EachKernel_IsForOldChipsAndNeedsNothing(string kernel)
    {
        string text = DeviceKernel.All.Single(one => $"{one.Name} {one.WindowSide}" == kernel).ReadPtx();

        Assert.Contains(".target sm_61\n", text, StringComparison.Ordinal);
        Assert.Contains($".visible .entry {kernel.Split(' ')[0]}(", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".extern", text, StringComparison.Ordinal);
        Assert.DoesNotContain("call", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", text, StringComparison.Ordinal);
    }
}

/// <summary>A test that compiles kernels: skipped without clang 19 or the sources. In CI (CI=true) both have to be there.</summary>
public sealed class ClangFactAttribute : FactAttribute
{
    public ClangFactAttribute() => Skip = Environment.GetEnvironmentVariable("CI") == "true" || (HasClang() && Directory.Exists(Kernels))
        ? null
        : "Needs clang-19 (Debian: apt-get install clang-19) on the PATH, and the sources in native/kernels.";

    /// <summary>The folder of the kernels' sources.</summary>
    public static string Kernels
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Tamx.sln")))
            {
                folder = folder.Parent;
            }

            return Path.Combine(folder?.FullName ?? string.Empty, "native", "kernels");
        }
    }

    private static bool HasClang()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("clang-19", ["--version"]) { RedirectStandardOutput = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
