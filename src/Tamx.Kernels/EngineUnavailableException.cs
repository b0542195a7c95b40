namespace Tamx.Kernels;

/// <summary>An engine does not work: this build or this machine lacks it, or its device failed.</summary>
/// <param name="kind">The engine.</param>
/// <param name="reason">Why it does not work, and what would help.</param>
/// <param name="innerException">The cause, if there is one.</param>
public sealed class EngineUnavailableException(EngineKind kind, string reason, Exception? innerException = null)
    : Exception(reason, innerException)
{
    /// <summary>The engine.</summary>
    public EngineKind Kind { get; } = kind;

    /// <summary>Whether the device only lacks the memory for this call. A smaller call may succeed.</summary>
    public bool IsLackOfMemory { get; init; }
}
