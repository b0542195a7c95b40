namespace Tamx.Web;

/// <summary>How long a server waits for whom. docs/server.md states these; tests make them short.</summary>
internal sealed record ServerTimes
{
    /// <summary>For a client to take a piece of its answer.</summary>
    public TimeSpan Client { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the next request on a connection, and for a request's headers.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For a sign of a worker that loads its model.</summary>
    public TimeSpan Loading { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For a worker with its model loaded, when it is a request's turn.</summary>
    public TimeSpan Worker { get; init; } = TimeSpan.FromMinutes(5);
}
