using System.Collections.Concurrent;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class TamEngineTests
{
    [Fact]
    public void Create_Auto_TakesAnEngineAndSaysWhatItPassedOver()
    {
        var log = new List<string>();

        using var engine = TamEngine.Create(EngineKind.Auto, log.Add);

        Assert.Contains(engine.Kind, TamEngine.All);
        Assert.All(log, line => Assert.Contains("engine ", line, StringComparison.Ordinal));
    }

    /// <summary>Only a GPU goes before the processors: an OpenCL device that is a processor itself would be slower.</summary>
    [Fact]
    public void Create_Auto_TakesTheProcessorsUnlessThereIsAGpu()
    {
        using var engine = TamEngine.Create(EngineKind.Auto);

        Assert.Equal(TamEngine.Devices.Any(device => device.IsGpu), engine.Kind != EngineKind.Cpu);
    }

    [Fact]
    public void Create_DeviceThatIsNotThere_ThrowsNamingIt()
    {
        foreach (var (name, kind) in ((string, EngineKind)[])[("OpenCL99", EngineKind.OpenCl), ("CUDA99", EngineKind.Cuda), ("Vulkan0", EngineKind.Auto)])
        {
            var exception = Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(new EngineOptions { Device = name }));

            // Where the engine has no device at all, that is what is wrong.
            Assert.Equal(kind, exception.Kind);
            bool isListed = kind == EngineKind.Auto || TestEngines.Working.Contains(kind);
            Assert.Contains(isListed ? $"there is no device {name}; there are: " : "engine ", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Create_OptionOutOfRange_Throws() => Assert.All(
        (EngineOptions[])[new() { ThreadCount = -1 }, new() { MaxDeviceBytes = -1 }, new() { MaxWorkingBytes = 0 }, new() { Device = null! }],
        options => Assert.ThrowsAny<ArgumentException>(() => TamEngine.Create(options)));

    public static TheoryData<string> Engines => TestEngines.Names;

    [Theory]
    [MemberData(nameof(Engines))]
    public void Create_WorkingBytes_AreTheEngines(string kind)
    {
        using var engine = TamEngine.Create(new EngineOptions { Kind = kind, MaxWorkingBytes = 12345 });

        Assert.Equal(12345, engine.MaxWorkingBytes);
    }

    [Fact]
    public void Create_EngineWithoutDevices_RefusesADevice() =>
        Assert.Contains("OpenCL0", Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(new EngineOptions { Kind = EngineKind.Cpu, Device = "OpenCL0" })).Message, StringComparison.Ordinal);

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
        foreach (var device in TamEngine.Devices.Where(device => device.Kind == EngineKind.OpenCl))
        {
            using var engine = TamEngine.Create(new EngineOptions { Device = device.Name.ToLowerInvariant() });

            Assert.Equal(EngineKind.OpenCl, engine.Kind);
            Assert.Contains(device.Description, engine.Name, StringComparison.Ordinal);
            Assert.True(device.MemoryBytes > 0);
        }
    }

    /// <summary>Whoever reads the results sees whether the theories over the engines had this one.</summary>
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
    public void All_Always_HasTheReference() => Assert.Contains(EngineKind.Reference, TamEngine.All);

    /// <summary>An engine from outside: asked for by name, on a device of its own, and never by itself.</summary>
    [Fact]
    public void Register_AnEngine_IsFoundByNameAndDeviceAndNotByAuto()
    {
        EngineKind kind = "outsider";
        EngineDevice[] devices = [new("Outsider0", kind, "first", 1, IsGpu: false), new("Outsider1", kind, "second", 2, IsGpu: false)];
        var requests = new ConcurrentBag<EngineOptions>();
        TamEngine.Register(
            kind,
            options =>
            {
                requests.Add(options);
                options.ChooseDevice(kind, devices);
                return new ReferenceEngine();
            },
            () => devices);

        EngineOptions byName = new() { Kind = "Outsider", ThreadCount = 3, MaxDeviceBytes = 4 };
        EngineOptions byDevice = new() { Device = "OUTSIDER1" };
        TamEngine.Create(byName).Dispose();
        TamEngine.Create(byDevice).Dispose();
        TamEngine.Create(EngineKind.Auto).Dispose();

        // Tests beside this one may ask for it too.
        Assert.Superset(new HashSet<EngineOptions> { byName, byDevice }, requests.ToHashSet());
        Assert.DoesNotContain(new EngineOptions(), requests);
        Assert.Equal([true, true], [TamEngine.All.Contains(kind), TamEngine.OnDevices.Contains(kind)]);
        Assert.Equal(devices, TamEngine.Devices.Where(device => device.Kind == kind));
        Assert.Equal(
            "there is no device outsider2; there are: Outsider0 (first), Outsider1 (second)",
            Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(new EngineOptions { Kind = kind, Device = "outsider2" })).Message);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("Reference")]
    [InlineData("")]
    [InlineData("my engine")]
    [InlineData("gpu0")]
    public void Register_NameThatIsTakenOrNone_Throws(string name)
    {
        int before = TamEngine.All.Count;

        Assert.Throws<ArgumentException>(() => TamEngine.Register(name, _ => new ReferenceEngine()));

        Assert.Equal(before, TamEngine.All.Count);
    }

    [Fact]
    public void Create_EngineThatNobodyHas_SaysWhichThereAre() => Assert.StartsWith(
        "engine nobodys is not part of this build; it has: reference, cpu, opencl, cuda",
        Assert.Throws<EngineUnavailableException>(() => TamEngine.Create("Nobodys")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Kind_ByName_IsTheSameInAnyLetters()
    {
        Assert.Equal([EngineKind.OpenCl, EngineKind.Auto, default], [new("OpenCL"), new("AUTO"), EngineKind.Auto]);
        Assert.Equal("[\"auto\",\"opencl\",\"own\"]", JsonSerializer.Serialize<EngineKind[]>([default, EngineKind.OpenCl, "own"]));
        Assert.Equal([EngineKind.OpenCl], JsonSerializer.Deserialize<EngineKind[]>("[\"openCl\"]")!);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<EngineKind>("7"));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<EngineKind>("null"));
        Assert.Equal([true, true, false, false, false], [.. ((string[])["OpenCL0", "opencl12", "OpenCL", "OpenCL0x", "CUDA0"]).Select(EngineKind.OpenCl.HasDevice)]);
    }
}
