using System.Text.Json;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>The demo model on a GPU, where there is one.</summary>
public sealed class GpuTests
{
    public GpuTests() => TestModels.SkipWithoutGpu();

    private static string Gpu => LlamaRuntime.Devices.First(device => device.IsGpu).Name;

    [Theory]
    [InlineData("-1", "3 of 3 layers", true)]
    [InlineData("3", "2 of 3 layers", true)]
    [InlineData("0", "3 layers on CPU", false)]
    public async Task Info_LayersOnTheGpu_TellsWhatRunsWhereAndWhatItTakes(string layers, string placed, bool onGpu)
    {
        var run = await CommandRun.Of(["info", "-ngl", layers, "--json"]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var placement = JsonDocument.Parse(run.Output).RootElement.GetProperty("placement");
        Assert.StartsWith(placed, placement.GetProperty("model").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(
            onGpu ? $"{Gpu} (" : "CPU",
            placement.GetProperty("projector").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(
            onGpu,
            placement.TryGetProperty("context", out var context) && context.ValueKind == JsonValueKind.String
        );
    }

    [Theory]
    [InlineData(2_000_000_000)]
    public async Task Explain_ContextThatTheGpuHasNoRoomFor_SaysWhatWasAskedAndWhatIsThere(int contextSize)
    {
        var gpu = LlamaRuntime.Devices.First(device => device.IsGpu);
        using var folder = new TemporaryFolder();
        var report = folder.File("report.html");
        var run = await CommandRun.OfProcess(
            ["explain", "-ngl", "-1", "--device", gpu.Name, "-n", "4", "-c", $"{contextSize}", "-o", report],
            folder.Path
        );

        Assert.Equal(ExitCode.InternalError, run.ExitCode);
        string line = Assert.Single(
            run.Error.TrimEnd().Split('\n'),
            line => line.StartsWith("tamx: ", StringComparison.Ordinal)
        );
        Assert.Matches(
            $"a context of {contextSize} tokens takes [0-9]+ MB \\({gpu.Name} has [0-9]+ of {gpu.TotalMemoryBytes / 1_000_000} MB free",
            line
        );
        Assert.False(System.IO.File.Exists(report));
    }
}
