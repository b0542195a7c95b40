using System.CommandLine;
using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Web;

namespace Tamx.Cli;

/// <summary><c>tamx serve</c>: the web app and its HTTP API.</summary>
internal sealed class ServeCommand
{
    private static readonly RequestLimits Limits = new();

    private readonly ModelArguments _model = new();
    private readonly Option<int> _threads = new("-t", "--threads")
    {
        Description = "Threads for the model; left out, half the processors.",
        HelpName = "THREADS",
    };
    private readonly Option<string> _host = new("--host")
    {
        Description = "Address to listen on; anything but loopback needs --api-key.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private readonly Option<int> _port = new("--port")
    {
        Description = "Port to listen on; 0 for any free one.",
        HelpName = "N",
        DefaultValueFactory = _ => 8016,
    };
    private readonly TextOption _apiKey = new("--api-key")
    {
        Description = "Key that callers must show. TAMX_API_KEY gives it too, unseen by other users.",
        HelpName = "KEY",
    };
    private readonly Option<string[]> _allowHost = new("--allow-host")
    {
        Description =
            "Name by which callers may reach a server that does not listen on loopback; may be given several times.",
        HelpName = "NAME",
    };

    private readonly Option<string[]> _cors = new("--cors")
    {
        Description =
            "Origin whose pages may use the API from a browser (https://app.example.org), or * for all; may be given several times. None by default.",
        HelpName = "ORIGIN",
    };

    private readonly Option<int> _queue = Number("--queue", "Requests that may wait while another is worked on.", 8);
    private readonly Option<int> _maxBody = Number(
        "--max-body-mb",
        "Megabytes of a request.",
        (int)(Limits.MaxBodyBytes / 1_000_000)
    );
    private readonly Option<int> _bodySeconds = Number(
        "--max-body-seconds",
        "Seconds that a request's body may take to arrive.",
        (int)Limits.MaxBodySeconds
    );
    private readonly Option<int> _maxPicture = Number(
        "--max-picture-mb",
        "Megabytes of a picture.",
        (int)(Limits.MaxPictureBytes / 1_000_000)
    );
    private readonly Option<int> _maxPixels = Number(
        "--max-megapixels",
        "Megapixels of a picture.",
        (int)(Limits.MaxPicturePixels / 1_000_000)
    );
    private readonly Option<int> _maxPictures = Number("--max-pictures", "Pictures of a request.", Limits.MaxPictures);
    private readonly Option<int> _maxFrames = Number("--max-frames", "Frames of a request's videos.", Limits.MaxFrames);
    private readonly Option<int> _maxText = Number(
        "--max-text",
        "Characters of a request's text.",
        Limits.MaxTextCharacters
    );
    private readonly Option<int> _maxTokens = Number("--max-tokens", "Tokens of an answer.", Limits.MaxAnswerTokens);
    private readonly Option<int> _maxContext = Number(
        "--max-context",
        "Tokens of prompt and answer together.",
        Limits.MaxContextTokens
    );
    private readonly Option<int> _maxSeconds = Number(
        "--max-seconds",
        "Seconds that the model may work on a request.",
        (int)Limits.MaxSeconds
    );
    private readonly Option<int> _maxRuns = Number("--max-runs", "Finished runs to keep for download.", Limits.MaxRuns);

    public static Command Create() => new ServeCommand().Build();

    private DocumentedCommand Build()
    {
        var command = new DocumentedCommand(
            "serve",
            "Starts the web app: ask a model about pictures and watch where each token of its answer comes from.",
            ("tamx serve", "The demo model at http://127.0.0.1:8016."),
            (
                "tamx serve -m MODEL.gguf --mmproj MMPROJ.gguf --host 0.0.0.0 --allow-host tamx.example --api-key KEY",
                "Your model for other machines."
            )
        )
        {
            _host,
            _port,
            _apiKey,
            _allowHost,
            _cors,
            _threads,
            _queue,
            _maxBody,
            _bodySeconds,
            _maxPicture,
            _maxPixels,
            _maxPictures,
            _maxFrames,
            _maxText,
            _maxTokens,
            _maxContext,
            _maxSeconds,
            _maxRuns,
        };
        _threads.RequireWithin(1, OptionRanges.MaxThreads);
        _port.RequireWithin(0, 65_535);
        _model.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static Option<int> Number(string name, string description, int value)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
        };
        option.RequireAtLeast(name == "--queue" ? 0 : 1);
        return option;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var error = parsed.InvocationConfiguration.Error;
        _model.AddTo(new CommandFiles(), parsed);
        var options = new ServerOptions
        {
            Model = _model.Read(parsed, parsed.GetValue(_threads)),
            Engine = new EngineOptions { Device = DeviceOption.ForMaps(parsed, EngineKind.Auto) },
            Host = parsed.GetRequiredValue(_host),
            Port = parsed.GetValue(_port),
            ApiKey = parsed.GetValue(_apiKey) ?? Environment.GetEnvironmentVariable("TAMX_API_KEY"),
            AllowedHosts = parsed.GetValue(_allowHost) ?? [],
            AllowedOrigins = parsed.GetValue(_cors) ?? [],
            QueueLength = parsed.GetValue(_queue),
            Limits = new RequestLimits
            {
                MaxBodyBytes = parsed.GetValue(_maxBody) * 1_000_000L,
                MaxBodySeconds = parsed.GetValue(_bodySeconds),
                MaxPictureBytes = parsed.GetValue(_maxPicture) * 1_000_000L,
                MaxPicturePixels = parsed.GetValue(_maxPixels) * 1_000_000L,
                MaxPictures = parsed.GetValue(_maxPictures),
                MaxFrames = parsed.GetValue(_maxFrames),
                MaxTextCharacters = parsed.GetValue(_maxText),
                MaxAnswerTokens = parsed.GetValue(_maxTokens),
                MaxContextTokens = parsed.GetValue(_maxContext),
                MaxSeconds = parsed.GetValue(_maxSeconds),
                MaxRuns = parsed.GetValue(_maxRuns),
            },
            Logger = new TextWriterLogger(
                TextWriter.Synchronized(error),
                _model.IsVerbose(parsed) ? LogLevel.Debug : LogLevel.Warning
            ),
        };

        await using var server = await TamxServer.StartAsync(options, cancellationToken);
        _model.NoteDemo(parsed);

        error.WriteLine($"Open {server.Address} in a browser. Ctrl+C ends it.");

        // Cancelling is the normal end of a server, so it must not throw.
        await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        return ExitCode.Ok;
    }
}
