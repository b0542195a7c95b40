namespace Tamx.Kernels;

/// <summary>An engine does not work: this build or this machine lacks it, or its device failed.</summary>
public sealed class EngineUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="kind">The engine.</param>
    /// <param name="reason">Why it does not work, and what would help.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public EngineUnavailableException(EngineKind kind, string reason, Exception? innerException = null)
        : base(reason, innerException)
    {
        Kind = kind;
    }

    /// <summary>The engine.</summary>
    public EngineKind Kind { get; }

    /// <summary>Whether the device only lacks the memory for this call. A smaller call may succeed.</summary>
    public bool IsLackOfMemory { get; init; }
}
