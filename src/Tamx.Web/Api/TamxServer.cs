using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tamx.Web.Api;
using Tamx.Web.Runs;

namespace Tamx.Web;

/// <summary>The web app: a page and an HTTP API over one model, which runs in a process of its own.</summary>
public sealed class TamxServer : IAsyncDisposable
{
    private const int MaxHeaderBytes = 16 << 10;

    /// <summary>Bytes of a connection that have arrived and nobody has read yet.</summary>
    private const int MaxBufferedBytes = 128 << 10;

    private readonly WebApplication _app;
    private readonly ModelWorker _worker;
    private readonly MemoryReturn _memory = new();

    private TamxServer(WebApplication app)
    {
        _app = app;
        _worker = app.Services.GetRequiredService<ModelWorker>();
        FolderPath = app.Services.GetRequiredService<PrivateFolder>().Path;
    }

    /// <summary>Where it listens, as one tells a browser: <c>http://127.0.0.1:8016</c>.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Id of the model's process; null while there is none.</summary>
    internal int? WorkerId => _worker.ProcessId;

    /// <summary>Where runs and uploads lie.</summary>
    internal string FolderPath { get; }

    /// <summary>What it answers to.</summary>
    internal IEnumerable<RouteEndpoint> Endpoints =>
        ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    /// <summary>Loads the model and starts to listen.</summary>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends the starting.</param>
    /// <exception cref="InvalidInputException">
    /// An option is unsafe or wrong, the model cannot be loaded, or the port cannot be had.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<TamxServer> StartAsync(
        ServerOptions options,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var app = Build(options);
        try
        {
            await app.StartAsync(cancellationToken);
            return new TamxServer(app);
        }
        catch (Exception e)
        {
            await app.DisposeAsync();
            if (e is IOException or System.Net.Sockets.SocketException)
            {
                throw new InvalidInputException($"{options.Host}:{options.Port} cannot be listened on: {e.Message}", e);
            }

            throw;
        }
    }

    /// <summary>Stops listening, ends the model's process and removes all files of runs.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        await _memory.DisposeAsync();
    }

    /// <summary>An application that has nothing else, and is as strict with connections as it can.</summary>
    private static WebApplication Build(ServerOptions options)
    {
        // Nothing around the program (settings files, environment variables, its folder) configures the server.
        var builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory }
        );
        builder.Logging.AddProvider(new FixedLoggerProvider(options.Logger));
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);

        // A start that fails throws; the host need not log it too.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);

        // What fails in Kestrel is a client's doing; what fails in our code is caught and logged there.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical);
        builder.Services.AddSingleton(new Listening(IPAddress.IsLoopback(options.Address)));
        builder.Services.AddTamxServer(options);
        builder.Services.AddSingleton(services => new ConnectionLimit(
            ActivatorUtilities.CreateInstance<SocketTransportFactory>(services)
        ));
        builder.Services.AddSingleton<IConnectionListenerFactory>(services =>
            services.GetRequiredService<ConnectionLimit>()
        );
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
                kestrel.Limits.MaxRequestBufferSize = MaxBufferedBytes;
                kestrel.Limits.RequestHeadersTimeout = options.Times.Idle;
                kestrel.Limits.KeepAliveTimeout = options.Times.Idle;
                kestrel.Listen(
                    options.Address,
                    options.Port,
                    listen =>
                    {
                        var limit = listen.ApplicationServices.GetRequiredService<ConnectionLimit>();
                        listen.Use(next => connection => limit.ServeAsync(connection, next));
                    }
                );
            });
        var app = builder.Build();
        var connections = app.Services.GetRequiredService<ConnectionLimit>();
        app.Use(
            async (context, next) =>
            {
                using var request = connections.BeginRequest(context);
                await next(context);
            }
        );
        app.MapTamx();
        return app;
    }

    private sealed class FixedLoggerProvider(ILogger logger) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose() { }
    }
}
