using System.Text.Json;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>
/// Engines that need a device: asked for by name, they work or say in one line why not; Auto does without.
/// </summary>
public sealed class EngineTests : IDisposable
{
    private const int MissingPart = 4;

    /// <summary>A folder of drivers that does not exist: the loader is there (or not), and finds none.</summary>
    private static readonly (string, string) NoDrivers = ("OCL_ICD_VENDORS", "/nonexistent");

    private readonly TemporaryFolder _folder = new();

    private static string Input =>
        Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx", "generate_top3", "input.safetensors");

    private string OutputPath => _folder.File("out.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Maps_OnADeviceByName_ComputesThere()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        var device = TamEngines.Devices.First(device => device.Kind == EngineKind.OpenCl).Name;

        var run = await CommandRun.Of(["maps", Input, "-o", OutputPath, "--device", device, "--json"]);

        Assert.Equal((0, true), (run.ExitCode, File.Exists(OutputPath)));
        using var json = JsonDocument.Parse(run.Output);
        Assert.StartsWith(
            $"opencl, {device}: ",
            json.RootElement.GetProperty("engine").GetString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Maps_WithoutAnyDriver_AutoTakesTheProcessors()
    {
        var run = await CommandRun.OfProcess(["maps", Input, "-o", OutputPath, "-v"], _folder.Path, NoDrivers);
        var quiet = await CommandRun.OfProcess(["maps", Input, "-o", OutputPath], _folder.Path, NoDrivers);

        Assert.Equal((0, true), (run.ExitCode, File.Exists(OutputPath)));
        Assert.Contains("passed over: engine opencl: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("passed over", quiet.Error, StringComparison.Ordinal);
        Assert.Contains("by the cpu, ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maps_WithoutAnyDriver_OpenClSaysSo() =>
        AssertNothingWritten(
            await CommandRun.OfProcess(
                ["maps", Input, "-o", OutputPath, "--engine", "opencl"],
                _folder.Path,
                NoDrivers
            ),
            "engine opencl: "
        );

    /// <summary>A driver that offers no device.</summary>
    [Fact]
    public async Task Maps_DriverWithoutDevices_OpenClSaysSo()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        string[] arguments = ["maps", Input, "-o", OutputPath, "--engine", "opencl"];
        var run = await CommandRun.OfProcess(arguments, _folder.Path, ("POCL_DEVICES", "none"));
        AssertNothingWritten(run, "engine opencl: ");
    }

    [Fact]
    public async Task Maps_DeviceThatIsNotThere_SaysWhichAre() =>
        AssertNothingWritten(
            await CommandRun.Of(["maps", Input, "-o", OutputPath, "--device", "Vulkan7"]),
            "there is no device Vulkan7; there are: "
        );

    [Theory]
    [InlineData("explain", "-o", "report.html")]
    [InlineData("info")]
    public async Task Device_OfTheModelThatIsNotThere_SaysWhichAre(params string[] command) =>
        AssertNothingWritten(
            await CommandRun.OfProcess([.. command, "--device", "Vulkan7"], _folder.Path),
            "llama.cpp has no device Vulkan7 here; it has "
        );

    [Fact]
    public async Task Explain_LayersForAGpuThatIsNotThere_SaysSoAndGoesOn()
    {
        var run = await CommandRun.Of([
            "explain",
            "-o",
            OutputPath,
            "-n",
            "2",
            "-t",
            "1",
            "-ngl",
            "-1",
            "--device",
            "none",
        ]);

        Assert.Equal((0, true), (run.ExitCode, File.Exists(OutputPath)));
        Assert.Equal(
            !LlamaRuntime.Devices.Any(device => device.IsGpu),
            run.Error.Contains("so -ngl does nothing", StringComparison.Ordinal)
        );
    }

    /// <summary>Exit code 4 where there is no NVIDIA driver, maps where there is one: nothing in between.</summary>
    [Fact]
    public async Task Maps_Cuda_WorksOrSaysWhyNot()
    {
        var run = await CommandRun.Of(["maps", Input, "-o", OutputPath, "--engine", "cuda"]);

        if (TestEngines.WhyNot(EngineKind.Cuda) is { } reason)
        {
            AssertNothingWritten(run, reason);
        }
        else
        {
            Assert.Equal((0, true), (run.ExitCode, File.Exists(OutputPath)));
        }
    }

    [Fact]
    public async Task Maps_EngineThatNobodyHas_SaysWhichThereAre() =>
        AssertNothingWritten(
            await CommandRun.Of(["maps", Input, "-o", OutputPath, "--engine", "npu"]),
            "engine npu is not part of this build; it has: reference, cpu, opencl, cuda"
        );

    [Fact]
    public async Task Maps_DeviceWithTooLittleMemory_SaysHowMuch()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        string[] arguments = ["maps", Input, "-o", OutputPath, "--engine", "opencl", "--max-device-bytes", "1000"];
        AssertNothingWritten(await CommandRun.Of(arguments), "and 0.001 MB may be used");
    }

    /// <summary>The machine's options are none of the method's, which are saved.</summary>
    [Theory]
    [InlineData("engine=cpu")]
    [InlineData("threadCount=2")]
    [InlineData("maxWorkingBytes=1000")]
    public async Task Maps_OptionOfTheMachineSetAsOneOfTheMethod_IsRefused(string assignment)
    {
        (await CommandRun.Of(["maps", Input, "-o", OutputPath, "--set", assignment])).AssertFails(
            2,
            "the method has no such option"
        );
    }

    /// <summary>Slices of one token at a time: the same maps.</summary>
    [Fact]
    public async Task Maps_LittleMemoryToWorkIn_GivesTheSameMaps()
    {
        await CommandRun.Of(["maps", Input, "-o", OutputPath, "--engine", "cpu"]);
        var whole = await File.ReadAllBytesAsync(OutputPath);

        await CommandRun.Of(["maps", Input, "-o", OutputPath, "--engine", "cpu", "--max-working-bytes", "1"]);

        Assert.Equal(whole, await File.ReadAllBytesAsync(OutputPath));
    }

    /// <summary>Before the model is loaded, and so before any picture of it is looked at.</summary>
    [Fact]
    public async Task Explain_EngineThatDoesNotWork_SaysSo() =>
        AssertNothingWritten(
            await CommandRun.OfProcess(["explain", "-o", OutputPath, "--engine", "opencl"], _folder.Path, NoDrivers),
            "engine opencl: "
        );

    [Fact]
    public async Task Info_Always_ListsTheDevices()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        using var json = JsonDocument.Parse((await CommandRun.Of(["info", "--json"])).Output);
        var text = (await CommandRun.Of(["info"])).Output;

        var listed = json.RootElement.GetProperty("runtime").GetProperty("mapDevices").EnumerateArray().ToList();
        Assert.Equal(
            TamEngines.Devices.Select(device => device.Name),
            listed.Select(device => device.GetProperty("name").GetString())
        );
        Assert.All(
            TamEngines.Devices,
            device => Assert.Contains($"device {device.Name}: {device.Description}, ", text, StringComparison.Ordinal)
        );
    }

    private void AssertNothingWritten(CommandRun run, string message)
    {
        run.AssertFails(MissingPart, message);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }
}
