using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Web.Api;

namespace Tamx.Web;

/// <summary>How a server is run.</summary>
public sealed record ServerOptions
{
    private const string HostAdvice =
        "give an IP address to listen on, or localhost; names by which callers reach it are for";

    /// <summary>The model that it serves.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>
    /// What computes the maps. The engine is made when the model is loaded, and serves every request.
    /// </summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>
    /// Where <see cref="TamxServer"/> listens: <c>localhost</c> or an IP address. 127.0.0.1 by default; anything but loopback needs
    /// <see cref="ApiKey"/>.
    /// </summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port of <see cref="TamxServer"/>; 0 for any free one. 8016 by default.</summary>
    public int Port { get; init; } = 8016;

    /// <summary>
    /// What callers must show as <c>Authorization: Bearer KEY</c>; null for no key, which only a loopback address
    /// allows.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// Names by which callers may reach a server that does not listen on loopback, besides addresses:
    /// <c>tamx.example.org</c>. In an application of one's own they count wherever it listens, and <c>*</c> is any
    /// name, for one that filters hosts itself.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>
    /// Origins whose pages may use the API from a browser (CORS): <c>https://app.example.org</c>, or <c>*</c> for all.
    /// None by default.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Requests that may wait while another is worked on. 8 by default.</summary>
    public int QueueLength { get; init; } = 8;

    /// <summary>
    /// Longest time without an event in a stream. Then a comment is written, so that proxies keep it open. 15 seconds
    /// by default.
    /// </summary>
    public TimeSpan LongestSilence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What a request may ask for.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>
    /// The program that runs the model, with its arguments; it calls <see cref="Worker.WorkerHost.RunAsync"/>. Empty,
    /// the default, for this program once more, whose own code does not run there.
    /// </summary>
    public IReadOnlyList<string> WorkerCommand { get; init; } = [];

    /// <summary>
    /// Told what goes wrong inside <see cref="TamxServer"/>. An application of one's own has its own log.
    /// </summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    internal ServerTimes Times { get; init; } = new();

    internal IPAddress Address =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(Host.Trim('[', ']'), out var address) ? address
        : throw InvalidInputException.Naming(
            $"{Named(nameof(Host))} {Host}: {HostAdvice} {Named(nameof(AllowedHosts))}"
        );

    /// <summary>Refuses what would be unsafe or cannot work.</summary>
    /// <exception cref="InvalidInputException">No key where one is needed, or a value is out of its range.</exception>
    public void Validate() => Check((_, check) => check());

    /// <summary>Does each check, with the path of the options that it is about.</summary>
    internal void Check(Action<string, Action> run)
    {
        run("", CheckOwn);
        run(nameof(Model), (Model ?? new ModelOptions { ModelPath = "" }).Validate);
        run(nameof(Engine), Engine.Validate);
        run(nameof(Limits), Limits.Validate);
    }

    private void CheckOwn()
    {
        if (!IPAddress.IsLoopback(Address) && ApiKey is null)
        {
            var (host, key) = (Named(nameof(Host)), Named(nameof(ApiKey)));
            throw InvalidInputException.Naming(
                $"{host} {Host} lets other machines in; give an API key too ({key}), or listen on 127.0.0.1"
            );
        }

        if (ApiKey is { Length: < 8 } || ApiKey?.All(character => character is > ' ' and < (char)127) == false)
        {
            throw new InvalidInputException(
                "the API key must have at least 8 characters, all of them printable ASCII without spaces"
            );
        }

        if (Port is < 0 or > 65535)
        {
            throw InvalidInputException.Naming($"{Named(nameof(Port))} {Port}: it must be from 0 to 65535");
        }

        foreach (var origin in AllowedOrigins)
        {
            var canonical = Cors.Canonical(origin);
            if (canonical != origin)
            {
                var way = canonical is null
                    ? "give scheme, host and port, as in https://app.example.org, or * for all"
                    : $"browsers send it as {canonical}";
                throw InvalidInputException.Naming($"{Named(nameof(AllowedOrigins))} {origin}: {way}");
            }
        }

        if (QueueLength < 0)
        {
            throw InvalidInputException.Naming($"{Named(nameof(QueueLength))} {QueueLength}: it must be at least 0");
        }

        if (LongestSilence < TimeSpan.FromMilliseconds(1))
        {
            throw new InvalidInputException(
                $"a longest silence of {LongestSilence}: it must be at least a millisecond"
            );
        }
    }

    private static Setting Named(string property) => new(property);
}
