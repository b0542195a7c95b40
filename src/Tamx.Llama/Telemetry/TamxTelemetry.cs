namespace Tamx;

/// <summary>What Tamx calls its traces and metrics, for OpenTelemetry or any other listener.</summary>
/// <remarks>docs/telemetry.md lists them. Names are those of OpenTelemetry's conventions for generative AI.</remarks>
public static class TamxTelemetry
{
    /// <summary>The source of activities: <c>AddSource(TamxTelemetry.ActivitySourceName)</c>.</summary>
    public const string ActivitySourceName = "Tamx";

    /// <summary>The meter: <c>AddMeter(TamxTelemetry.MeterName)</c>.</summary>
    public const string MeterName = "Tamx";
}
