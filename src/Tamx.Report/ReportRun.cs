namespace Tamx.Report;

/// <summary>One of two runs that are compared.</summary>
/// <param name="Trace">The run that <paramref name="Maps"/> was computed from.</param>
/// <param name="Maps">The maps.</param>
/// <param name="Name">Its name in the page. Null takes what differs from the other run.</param>
public sealed record ReportRun(Trace Trace, ActivationMaps Maps, string? Name = null);
