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

    /// <summary>The engine for processors works everywhere; only one for a device goes before it.</summary>
    [Fact]
    public void Create_AutoWithoutADevice_TakesTheProcessors()
    {
        using var engine = TamEngine.Create(EngineKind.Auto);

        Assert.NotEqual(EngineKind.Reference, engine.Kind);
        Assert.Contains(EngineKind.Cpu, TamEngine.All);
    }

    [Fact]
    public void Create_KindNotInTheBuild_ThrowsNamingIt()
    {
        foreach (var kind in Enum.GetValues<EngineKind>().Except(TamEngine.All).Where(kind => kind != EngineKind.Auto))
        {
            var exception = Assert.Throws<EngineUnavailableException>(() => TamEngine.Create(kind));
            Assert.Equal(kind, exception.Kind);
            Assert.Contains(kind.ToString(), exception.Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void All_Always_HasTheReference() => Assert.Contains(EngineKind.Reference, TamEngine.All);
}
