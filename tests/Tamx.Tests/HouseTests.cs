using System.Reflection;

namespace Tamx.Tests;

/// <summary>Which room may know of which: the arrows of ARCHITECTURE.md.</summary>
public sealed class HouseTests
{
    [Theory]
    [InlineData("Tamx.Kernels")]
    [InlineData("Tamx.Llama")]
    [InlineData("Tamx", "Tamx.Kernels", "Tamx.Llama")]
    public void References_OfEachRoom_AreTheAllowedOnes(string room, params string[] allowed)
    {
        var references = Assembly.Load(room).GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Tamx", StringComparison.Ordinal));
        Assert.Equal(allowed, references.Order());
    }
}
