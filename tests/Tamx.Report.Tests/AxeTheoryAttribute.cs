namespace Tamx.Report.Tests;

/// <summary>Tests with axe-core: skipped where the browser or the package is missing.</summary>
public sealed class AxeTheoryAttribute : TheoryAttribute
{
    public AxeTheoryAttribute() => Skip = Chromium.Path is null ? BrowserFactAttribute.Missing : AxeCore.Fault;
}
