namespace Tamx.Evaluation.Tests;

public sealed class HouseTests
{
    /// <summary>The room stands on the method and its reports: it knows neither the server nor the command line.</summary>
    [Fact]
    public void References_OfTheRoom_AreTheAllowedOnes() => Assert.Equal(
        ["Tamx", "Tamx.Kernels", "Tamx.Llama", "Tamx.Report"],
        typeof(MapEvaluation).Assembly.GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Tamx", StringComparison.Ordinal))
            .Order());
}
