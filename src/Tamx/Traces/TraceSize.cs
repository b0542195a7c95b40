namespace Tamx;

/// <summary>What a trace's file takes when it is loaded.</summary>
/// <param name="HeldBytes">Memory, about.</param>
/// <param name="MappedBytes">
/// Hidden states that stay in their file: the system keeps of them in memory what it has room for. The file must not be
/// cut short as long as the trace is used.
/// </param>
public readonly record struct TraceSize(long HeldBytes, long MappedBytes);
