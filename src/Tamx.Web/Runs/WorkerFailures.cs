using Tamx.Web.Wire;

namespace Tamx.Web.Runs;

/// <summary>The model's process ended while something was wanted of it.</summary>
internal sealed class WorkerDiedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The worker refused a request or failed in it; it lives.</summary>
internal sealed class WorkerRefusedException(FailedEvent fault) : Exception(string.Concat(fault.Pieces))
{
    public FailedEvent Fault { get; } = fault;
}
