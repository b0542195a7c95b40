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
        foreach (var (name, kind) in ((string, EngineKind)[])[("OpenCL99", EngineKind.OpenCl), ("CUDA99", EngineKind.Cuda), ("Vulkan0", EngineKind.Auto)])
        {
            var exception = Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(EngineKind.Auto, device: name));

            // Where the engine has no device at all, that is what is wrong.
            Assert.Equal(kind, exception.Kind);
            bool isListed = kind == EngineKind.Auto || TestEngines.Working.Contains(kind);
            Assert.Contains(isListed ? $"there is no device {name}; there are: " : "engine ", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Create_EngineWithoutDevices_RefusesADevice() =>
        Assert.Contains("OpenCL0", Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(EngineKind.Cpu, device: "OpenCL0")).Message, StringComparison.Ordinal);

    [Fact]
    public void Create_CudaWithoutADriver_SaysSo()
    {
        if (TestEngines.WhyNot(EngineKind.Cuda) is { } reason)
        {
            Assert.Contains("engine cuda: ", reason, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', reason);
        }
    }

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

    [EngineFact(EngineKind.Cuda)]
    public void Working_Cuda_IsAmongTheEnginesThatAreTested() => Assert.Contains(EngineKind.Cuda, TestEngines.Working);

    [Fact]
    public void All_Always_HasTheReference() => Assert.Contains(EngineKind.Reference, TamEngine.All);
}
