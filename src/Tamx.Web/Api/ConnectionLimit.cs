using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Tamx.Web.Api;

/// <summary>
/// How many connections may be open. Before one more is accepted, the one that has waited longest is ended, first of
/// those that never asked anything: whoever holds many keeps nobody out.
/// </summary>
internal sealed partial class ConnectionLimit : IConnectionListenerFactory, IDisposable
{
    private const int Most = 200;

    /// <summary>
    /// Descriptors that are left for files and for processes. .NET holds two for each assembly, and the first requests
    /// load dozens.
    /// </summary>
    private const int Reserve = 110;

    /// <summary>How often it looks for one to end, while all have a request.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// How long one that was ended may take to go. Sooner no other is ended in its place: on a busy machine that would
    /// be all of them.
    /// </summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(2);

    /// <summary>A new connection has so long to ask something before it can be ended for another.</summary>
    private static readonly TimeSpan LeastAge = TimeSpan.FromMilliseconds(250);

    private const string OpenFiles = "/proc/self/fd";

    private readonly IConnectionListenerFactory _transport;
    private readonly SemaphoreSlim _room;
    private readonly Lock _gate = new();
    private readonly LinkedList<Arrival> _new = [];
    private readonly LinkedList<Arrival> _idle = [];

    /// <param name="transport">What accepts connections.</param>
    public ConnectionLimit(IConnectionListenerFactory transport)
    {
        _transport = transport;
        _room = new SemaphoreSlim(Math.Clamp(FreeDescriptors() - Reserve, 4, Most));
    }

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
        new Listener(this, await _transport.BindAsync(endpoint, cancellationToken));

    /// <summary>Serves a connection, from its beginning to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var node = new LinkedListNode<Arrival>(new Arrival(connection, Environment.TickCount64));
        connection.Items[typeof(ConnectionLimit)] = node;
        lock (_gate)
        {
            _new.AddLast(node);
        }

        try
        {
            await next(connection);
        }
        finally
        {
            lock (_gate)
            {
                node.List?.Remove(node);
            }
        }
    }

    public void Dispose() => _room.Dispose();

    /// <summary>Notes that a connection has a request, until the result is disposed of.</summary>
    public IDisposable BeginRequest(HttpContext context)
    {
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        return new Request(this, (LinkedListNode<Arrival>)items[typeof(ConnectionLimit)]!);
    }

    /// <summary>Files and connections that this process may open yet.</summary>
    private static int FreeDescriptors()
    {
        const int Linux = 7;
        const int MacOS = 8;
        if (
            OperatingSystem.IsWindows()
            || GetLimit(OperatingSystem.IsMacOS() ? MacOS : Linux, out var limit) != 0
            || limit.Current > int.MaxValue
        )
        {
            return int.MaxValue;
        }

#pragma warning disable RS0030 // The system's list of what this process has open.
        var open = Directory.Exists(OpenFiles) ? Directory.GetFileSystemEntries(OpenFiles).Length : 0;
#pragma warning restore RS0030
        return (int)limit.Current - open;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    /// <summary>Waits until one more connection may be open.</summary>
    private async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        ConnectionContext? oldest = null;
        for (
            var wait = TimeSpan.Zero;
            !await _room.WaitAsync(wait, cancellationToken);
            wait = oldest is null ? Interval : EndTime
        )
        {
            lock (_gate)
            {
                var node = _new.First is null ? _idle.First : OldEnough();
                node?.List!.Remove(node);
                oldest = node?.Value.Connection;
            }

            oldest?.Abort();
        }
    }

    /// <summary>The first that never asked anything; null while it has not had the time to.</summary>
    private LinkedListNode<Arrival>? OldEnough() =>
        Environment.TickCount64 - _new.First!.Value.Since >= LeastAge.TotalMilliseconds ? _new.First : null;

    /// <summary>A connection, and when it came.</summary>
    private readonly record struct Arrival(ConnectionContext Connection, long Since);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public nuint Current;
        public nuint Highest;
    }

    private sealed class Listener(ConnectionLimit limit, IConnectionListener inner) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbinding = new();

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                await limit.WaitForRoomAsync(_unbinding.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            var connection = await inner.AcceptAsync(cancellationToken);
            connection?.ConnectionClosed.Register(() => limit._room.Release());
            return connection;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _unbinding.CancelAsync();
            await inner.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            _unbinding.Dispose();
            return inner.DisposeAsync();
        }
    }

    private sealed class Request : IDisposable
    {
        private readonly ConnectionLimit _limit;
        private readonly LinkedListNode<Arrival> _node;

        public Request(ConnectionLimit limit, LinkedListNode<Arrival> node)
        {
            (_limit, _node) = (limit, node);
            lock (limit._gate)
            {
                node.List?.Remove(node);
            }
        }

        public void Dispose()
        {
            lock (_limit._gate)
            {
                if (!_node.Value.Connection.ConnectionClosed.IsCancellationRequested && _node.List is null)
                {
                    _limit._idle.AddLast(_node);
                }
            }
        }
    }
}
