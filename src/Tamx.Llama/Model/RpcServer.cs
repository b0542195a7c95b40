using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>Servers of llama.cpp's RPC back end, whose devices are used as if they were here.</summary>
/// <remarks>
/// Source: llama.cpp's <c>common/arg.cpp</c> and <c>ggml-rpc.h</c>: the back end registers none of its own; a function
/// makes a registry of a server's devices.
/// </remarks>
internal static unsafe class RpcServer
{
    private const string AddName = "ggml_backend_rpc_add_server";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Added = new(StringComparer.Ordinal);

    /// <summary>Refuses what is no <c>host:port</c>.</summary>
    /// <exception cref="InvalidInputException">Names the first that is none.</exception>
    public static void Check(IReadOnlyList<string> servers)
    {
        foreach (var server in servers)
        {
            var colon = server.LastIndexOf(':');
            var isGiven =
                colon > 0
                && Uri.CheckHostName(server[..colon]) is UriHostNameType.Dns or UriHostNameType.IPv4
                && int.TryParse(server[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                && port is > 0 and <= ushort.MaxValue;
            if (!isGiven)
            {
                throw InvalidInputException.Naming(
                    $"{Settings.RpcServers} {OutsideText.Quoted(server)}: give host:port, as in 192.168.1.7:50052"
                );
            }
        }
    }

    /// <summary>Adds the devices of servers to those that llama.cpp has. Each is asked once.</summary>
    /// <exception cref="NativeLibraryException">The libraries have no RPC back end, or no server answers.</exception>
    public static void Add(IReadOnlyList<string> servers)
    {
        if (servers.Count == 0)
        {
            return;
        }

        Check(servers);
        LlamaLibraries.EnsureLoaded();
        lock (Gate)
        {
            var registry = GgmlBackendApi.FindRegistry("RPC");
            var add = registry == 0 ? 0 : GgmlBackendApi.FindFunction(registry, AddName);
            if (add == 0)
            {
                throw NativeLibraryException.Naming(
                    $"llama.cpp in {LlamaRuntime.Directory} has no RPC back end, which {Settings.RpcServers} needs; build {LlamaLibraries.Build} with GGML_RPC=ON and name its folder with {LlamaRuntime.DirectoryVariable}"
                );
            }

            foreach (var server in servers)
            {
                if (!Added.Contains(server))
                {
                    Register(server, (delegate* unmanaged[Cdecl]<byte*, nint>)add);
                    Added.Add(server);
                }
            }
        }
    }

    private static void Register(string server, delegate* unmanaged[Cdecl]<byte*, nint> add)
    {
        RequireListener(server);
        using var errors = NativeLog.Listen();
        fixed (byte* endpoint = Encoding.UTF8.GetBytes(server + '\0'))
        {
            var registry = add(endpoint);
            if (registry == 0)
            {
                throw NativeLibraryException.Naming(
                    $"no RPC server answers at {server} ({Settings.RpcServers}){errors.Because}"
                );
            }

            GgmlBackendApi.Register(registry);
        }
    }

    /// <summary>Refuses an address at which nobody listens: the back end would end the process there.</summary>
    private static void RequireListener(string server)
    {
        var colon = server.LastIndexOf(':');
        var port = int.Parse(server[(colon + 1)..], CultureInfo.InvariantCulture);
        try
        {
            using var client = new TcpClient();
            if (!client.ConnectAsync(server[..colon], port).Wait(Patience))
            {
                throw NativeLibraryException.Naming(
                    $"no RPC server answers at {server} within {Patience.TotalSeconds:F0} s ({Settings.RpcServers})"
                );
            }
        }
        catch (AggregateException e) when (e.InnerException is SocketException fault)
        {
            throw NativeLibraryException.Naming(
                $"no RPC server answers at {server} ({Settings.RpcServers}): {fault.Message}"
            );
        }
    }
}
