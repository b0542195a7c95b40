namespace Tamx.Evaluation.Tests;

public sealed class HouseTests
{
    /// <summary>The room stands on the method alone: it knows neither reports nor the command line.</summary>
    [Fact]
    public void References_OfTheRoom_AreTheAllowedOnes() => Assert.Equal(
        ["Tamx", "Tamx.Kernels", "Tamx.Llama"],
        typeof(MapEvaluation).Assembly.GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Tamx", StringComparison.Ordinal))
            .Order());
}
