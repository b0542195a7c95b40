using System.Diagnostics.Metrics;

namespace Tamx.Llama;

/// <summary>Instruments of OpenTelemetry's conventions for generative AI, with the buckets they ask for.</summary>
internal sealed class GenAiInstruments(Meter meter)
{
    public const string TokenUsageName = "gen_ai.client.token.usage";

    public static double[] DurationBuckets { get; } =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

    /// <summary>Seconds of a run of the library.</summary>
    public Histogram<double> OperationDuration { get; } =
        Seconds(meter, "gen_ai.client.operation.duration", "Time of a whole answer.", DurationBuckets);

    /// <summary>Seconds of a request to a server.</summary>
    public Histogram<double> RequestDuration { get; } =
        Seconds(meter, "gen_ai.server.request.duration", "Time of a request, up to its last token.", DurationBuckets);

    public Histogram<double> TimeToFirstToken { get; } =
        Seconds(
            meter,
            "gen_ai.server.time_to_first_token",
            "Time up to the first token of an answer.",
            [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
        );

    public Histogram<double> TimePerOutputToken { get; } =
        Seconds(
            meter,
            "gen_ai.server.time_per_output_token",
            "Time of each token after the first.",
            [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5]
        );

    public Histogram<long> TokenUsage { get; } =
        meter.CreateHistogram(
            TokenUsageName,
            "{token}",
            "Tokens of prompts and answers.",
            advice: new InstrumentAdvice<long>
            {
                HistogramBucketBoundaries = [.. Enumerable.Range(0, 14).Select(power => 1L << (2 * power))],
            }
        );

    private static Histogram<double> Seconds(Meter meter, string name, string description, double[] buckets) =>
        meter.CreateHistogram(
            name,
            "s",
            description,
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets }
        );
}
