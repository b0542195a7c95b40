namespace Tamx.Report.Tests;

/// <summary>A test in a browser: skipped where no Chromium is installed.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Chromium.Path is null)
        {
            Skip = "Needs Chromium (Debian: apt-get install chromium) on the PATH.";
        }
    }
}
