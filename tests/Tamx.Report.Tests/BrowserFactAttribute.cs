namespace Tamx.Report.Tests;

/// <summary>A test in a browser: skipped where no Chromium is installed.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public const string Missing = "Needs Chromium (Debian: apt-get install chromium) on the PATH.";

    public BrowserFactAttribute() => Skip = Chromium.Path is null ? Missing : null;
}

/// <summary>Tests in a browser over several cases.</summary>
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Chromium.Path is null ? BrowserFactAttribute.Missing : null;
}
