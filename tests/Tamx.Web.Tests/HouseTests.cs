namespace Tamx.Web.Tests;

public sealed class HouseTests
{
    /// <summary>
    /// The room stands on the method and the report: it knows neither the command line nor how maps are measured.
    /// </summary>
    [Fact]
    public void References_OfTheRoom_AreTheAllowedOnes() => Assert.Equal(
        ["Tamx", "Tamx.Kernels", "Tamx.Llama", "Tamx.Report"],
        typeof(TamxServer).Assembly.GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Tamx", StringComparison.Ordinal))
            .Order());
}
