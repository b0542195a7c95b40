using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Tamx.Web.Api;

/// <summary>
/// How many connections may be open. One more ends the one that has waited longest, first of those that never asked
/// anything: whoever holds many keeps nobody out.
/// </summary>
internal sealed partial class ConnectionLimit
{
    /// <summary>Most connections, where the system allows as many.</summary>
    private const int Most = 200;

    private readonly Lock _gate = new();
    private readonly LinkedList<ConnectionContext> _new = [];
    private readonly LinkedList<ConnectionContext> _idle = [];
    private readonly int _most = Math.Clamp(Descriptors() / 2, 8, Most);
    private int _count;

    /// <summary>Serves a connection, from its beginning to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var node = new LinkedListNode<ConnectionContext>(connection);
        connection.Items[typeof(ConnectionLimit)] = node;
        var ended = Enter(node);
        try
        {
            ended?.Abort();
            if (ended != connection)
            {
                await next(connection);
            }
        }
        finally
        {
            lock (_gate)
            {
                _count--;
                node.List?.Remove(node);
            }
        }
    }

    /// <summary>Notes that a connection has a request, until the result is disposed of.</summary>
    public IDisposable BeginRequest(HttpContext context)
    {
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        return new Request(this, (LinkedListNode<ConnectionContext>)items[typeof(ConnectionLimit)]!);
    }

    /// <summary>Files and connections that this process may have open.</summary>
    private static int Descriptors()
    {
        const int Linux = 7;
        const int MacOS = 8;
        return !OperatingSystem.IsWindows() && GetLimit(OperatingSystem.IsMacOS() ? MacOS : Linux, out var limit) == 0
            ? (int)Math.Min(limit.Current, int.MaxValue)
            : int.MaxValue;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    /// <summary>Counts a connection.</summary>
    /// <returns>The one to be ended for it: itself, where all others have a request.</returns>
    private ConnectionContext? Enter(LinkedListNode<ConnectionContext> node)
    {
        lock (_gate)
        {
            var oldest = ++_count <= _most ? null : _new.First ?? _idle.First ?? node;
            oldest?.List?.Remove(oldest);
            if (oldest != node)
            {
                _new.AddLast(node);
            }

            return oldest?.Value;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public nuint Current;
        public nuint Highest;
    }

    private sealed class Request : IDisposable
    {
        private readonly ConnectionLimit _limit;
        private readonly LinkedListNode<ConnectionContext> _node;

        public Request(ConnectionLimit limit, LinkedListNode<ConnectionContext> node)
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
                if (!_node.Value.ConnectionClosed.IsCancellationRequested && _node.List is null)
                {
                    _limit._idle.AddLast(_node);
                }
            }
        }
    }
}
