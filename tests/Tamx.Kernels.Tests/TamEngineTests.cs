using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class TamEngineTests
{
    [Fact]
    public void Create_Auto_TakesAnEngineAndSaysWhatItPassedOver()
    {
        var log = new List<string>();

        using var engine = TamEngine.Create(EngineKind.Auto, log: log.Add);

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
        foreach (string name in (string[])["OpenCL99", "Vulkan0"])
        {
            Assert.Contains(name, Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(EngineKind.Auto, device: name)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Create_EngineWithoutDevices_RefusesADevice() =>
        Assert.Contains("OpenCL0", Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(EngineKind.Cpu, device: "OpenCL0")).Message, StringComparison.Ordinal);

    [EngineFact(EngineKind.OpenCl)]
    public void Create_OpenClDeviceByName_TakesIt()
    {
        foreach (var device in TamEngine.Devices.Where(device => device.Kind == EngineKind.OpenCl))
        {
            using var engine = TamEngine.Create(EngineKind.Auto, device: device.Name.ToLowerInvariant());

            Assert.Equal(EngineKind.OpenCl, engine.Kind);
            Assert.Contains(device.Description, engine.Name, StringComparison.Ordinal);
            Assert.True(device.MemoryBytes > 0);
        }
    }

    /// <summary>Whoever reads the results sees whether the theories over the engines had this one.</summary>
    [EngineFact(EngineKind.OpenCl)]
    public void Working_OpenCl_IsAmongTheEnginesThatAreTested() => Assert.Contains(EngineKind.OpenCl, TestEngines.Working);

    [Fact]
    public void All_Always_HasTheReference() => Assert.Contains(EngineKind.Reference, TamEngine.All);
}
