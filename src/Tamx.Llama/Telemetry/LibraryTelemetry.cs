using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tamx.Llama;

/// <summary>The activities and instruments of this process.</summary>
internal static class LibraryTelemetry
{
    public static ActivitySource Source { get; } = new(TamxTelemetry.ActivitySourceName);

    public static Meter Meter { get; } = new(TamxTelemetry.MeterName);

    public static GenAiInstruments Instruments { get; } = new(Meter);

    /// <summary>Seconds that the maps of an answer took.</summary>
    public static Histogram<double> MapsDuration { get; } =
        Meter.CreateHistogram(
            "tamx.maps.duration",
            "s",
            "Time that the maps of an answer took.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = GenAiInstruments.DurationBuckets }
        );
}
