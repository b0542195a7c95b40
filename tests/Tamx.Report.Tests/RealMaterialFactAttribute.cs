namespace Tamx.Report.Tests;

/// <summary>A test on material that is no part of the project: skipped where that is not at hand.</summary>
public sealed class RealMaterialFactAttribute : FactAttribute
{
    public RealMaterialFactAttribute()
    {
        if (!File.Exists(RoadSign.JsonPath))
        {
            Skip = $"Needs {RoadSign.JsonPath} (TAMX_SHARED names another place for the folder 'shared').";
        }
    }
}
