using System.Collections.Concurrent;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class TamEnginesTests
{
    [Fact]
    public void Create_Auto_TakesAnEngineAndSaysWhatItPassedOver()
    {
        var log = new List<string>();

        using var engine = TamEngines.Create(EngineKind.Auto, log.Add);

        Assert.Contains(engine.Kind, TamEngines.All);
        Assert.All(log, line => Assert.Contains("engine ", line, StringComparison.Ordinal));
    }

    /// <summary>Only a GPU goes before the CPU, since OpenCL on the CPU is slower.</summary>
    [Fact]
    public void Create_Auto_TakesTheCpuUnlessThereIsAGpu()
    {
        using var engine = TamEngines.Create(EngineKind.Auto);

        Assert.Equal(TamEngines.Devices.Any(device => device.IsGpu), engine.Kind != EngineKind.Cpu);
    }

    [Fact]
    public void Create_DeviceThatIsNotThere_ThrowsNamingIt()
    {
        (string, EngineKind)[] devices =
        [
            ("OpenCL99", EngineKind.OpenCl),
            ("CUDA99", EngineKind.Cuda),
            ("Vulkan0", EngineKind.Auto),
        ];
        foreach (var (name, kind) in devices)
        {
            var exception = Assert.Throws<EngineUnavailableException>(() =>
                TamEngines.Create(new EngineOptions { Device = name })
            );

            // Where the engine has no device at all, the message says that instead.
            Assert.Equal(kind, exception.Kind);
            var isListed = kind == EngineKind.Auto || TestEngines.Working.Contains(kind);
            var expected = isListed ? $"there is no device {name}; there are: " : "engine ";
            Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Create_OptionOutOfRange_Throws() =>
        Assert.All(
            (EngineOptions[])
                [
                    new() { ThreadCount = -1 },
                    new() { MaxDeviceBytes = -1 },
                    new() { MaxWorkingBytes = 0 },
                    new() { Device = null! },
                ],
            options => Assert.ThrowsAny<ArgumentException>(() => TamEngines.Create(options))
        );

    public static TheoryData<string> Engines => TestEngines.Names;

    [Theory]
    [MemberData(nameof(Engines))]
    public void Create_WorkingBytes_AreTheEngines(string kind)
    {
        using var engine = TamEngines.Create(new EngineOptions { Kind = kind, MaxWorkingBytes = 12345 });

        Assert.Equal(12345, engine.MaxWorkingBytes);
    }

    [Fact]
    public void Create_EngineWithoutDevices_RefusesADevice()
    {
        var options = new EngineOptions { Kind = EngineKind.Cpu, Device = "OpenCL0" };

        var exception = Assert.Throws<EngineUnavailableException>(() => TamEngines.Create(options));

        Assert.Equal("engine cpu computes on the CPU, not on device OpenCL0", exception.Message);
    }

    [Fact]
    public void Create_CudaWithoutADriver_SaysSo()
    {
        if (TestEngines.WhyNot(EngineKind.Cuda) is { } reason)
        {
            Assert.Contains("engine cuda: ", reason, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', reason);
        }
    }

    [Fact]
    public void Create_OpenClDeviceByName_TakesIt()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        foreach (var device in TamEngines.Devices.Where(device => device.Kind == EngineKind.OpenCl))
        {
            using var engine = TamEngines.Create(new EngineOptions { Device = device.Name.ToLowerInvariant() });

            Assert.Equal(EngineKind.OpenCl, engine.Kind);
            Assert.Contains(device.Description, engine.Name, StringComparison.Ordinal);
            Assert.True(device.MemoryBytes > 0);
        }
    }

    /// <summary>Shows in the test results whether the theories over engines had this one.</summary>
    [Fact]
    public void Working_OpenCl_IsAmongTheEnginesThatAreTested()
    {
        TestEngines.SkipWithout(EngineKind.OpenCl);
        Assert.Contains(EngineKind.OpenCl, TestEngines.Working);
    }

    [Fact]
    public void Working_Cuda_IsAmongTheEnginesThatAreTested()
    {
        TestEngines.SkipWithout(EngineKind.Cuda);
        Assert.Contains(EngineKind.Cuda, TestEngines.Working);
    }

    [Fact]
    public void All_Always_HasTheReference() => Assert.Contains(EngineKind.Reference, TamEngines.All);

    /// <summary>An engine from outside is created by its name or its device's, and never by auto.</summary>
    [Fact]
    public void Register_AnEngine_IsFoundByNameAndDeviceAndNotByAuto()
    {
        EngineKind kind = "outsider";
        EngineDevice[] devices =
        [
            new("Outsider0", kind, "first", 1, IsGpu: false),
            new("Outsider1", kind, "second", 2, IsGpu: false),
        ];
        var requests = new ConcurrentBag<EngineOptions>();
        TamEngines.Register(
            kind,
            options =>
            {
                requests.Add(options);
                options.ChooseDevice(kind, devices);
                return new ReferenceEngine();
            },
            () => devices
        );

        var byName = new EngineOptions
        {
            Kind = "Outsider",
            ThreadCount = 3,
            MaxDeviceBytes = 4,
        };
        var byDevice = new EngineOptions { Device = "OUTSIDER1" };
        TamEngines.Create(byName).Dispose();
        TamEngines.Create(byDevice).Dispose();
        TamEngines.Create(EngineKind.Auto).Dispose();

        // Tests that run meanwhile may create it too.
        Assert.Superset(new HashSet<EngineOptions> { byName, byDevice }, requests.ToHashSet());
        Assert.DoesNotContain(new EngineOptions(), requests);
        Assert.Equal([true, true], [TamEngines.All.Contains(kind), TamEngines.OnDevices.Contains(kind)]);
        Assert.Equal(devices, TamEngines.Devices.Where(device => device.Kind == kind));
        var exception = Assert.Throws<EngineUnavailableException>(() =>
            TamEngines.Create(new EngineOptions { Kind = kind, Device = "outsider2" })
        );
        Assert.Equal(
            "there is no device outsider2; there are: Outsider0 (first), Outsider1 (second)",
            exception.Message
        );
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("Reference")]
    [InlineData("")]
    [InlineData("my engine")]
    [InlineData("gpu0")]
    public void Register_NameThatIsTakenOrNone_Throws(string name)
    {
        var before = TamEngines.All.Count;

        Assert.Throws<ArgumentException>(() => TamEngines.Register(name, _ => new ReferenceEngine()));

        Assert.Equal(before, TamEngines.All.Count);
    }

    [Fact]
    public void Create_EngineThatNobodyHas_SaysWhichThereAre() =>
        Assert.StartsWith(
            "engine nobodys is not part of this build; it has: reference, cpu, opencl, cuda",
            Assert.Throws<EngineUnavailableException>(() => TamEngines.Create("Nobodys")).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Kind_ByName_IsTheSameInAnyLetters()
    {
        Assert.Equal([EngineKind.OpenCl, EngineKind.Auto, default], [new("OpenCL"), new("AUTO"), EngineKind.Auto]);
        Assert.Equal(
            """["auto","opencl","own"]""",
            JsonSerializer.Serialize<EngineKind[]>([default, EngineKind.OpenCl, "own"])
        );
        Assert.Equal([EngineKind.OpenCl], JsonSerializer.Deserialize<EngineKind[]>("[\"openCl\"]")!);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<EngineKind>("7"));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<EngineKind>("null"));
        string[] devices = ["OpenCL0", "opencl12", "OpenCL", "OpenCL0x", "CUDA0"];
        Assert.Equal([true, true, false, false, false], devices.Select(EngineKind.OpenCl.HasDevice));
    }
}
