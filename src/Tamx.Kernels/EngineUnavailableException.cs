namespace Tamx.Kernels;

/// <summary>An engine was asked for by name, and this build or this machine does not have it.</summary>
public sealed class EngineUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="kind">The engine asked for.</param>
    /// <param name="reason">Why it cannot be had, and the way out.</param>
    /// <param name="innerException">What revealed it, if anything did.</param>
    public EngineUnavailableException(EngineKind kind, string reason, Exception? innerException = null)
        : base(reason, innerException)
    {
        Kind = kind;
    }

    /// <summary>The engine asked for.</summary>
    public EngineKind Kind { get; }

    /// <summary>Whether it is but this call that the device has too little memory for; a smaller one may do.</summary>
    public bool IsLackOfMemory { get; init; }
}
