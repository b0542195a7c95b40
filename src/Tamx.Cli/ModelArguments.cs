using System.CommandLine;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The options for the model, named as in llama.cpp's tools.</summary>
internal sealed class ModelArguments
{
    private readonly Option<string?> _model = new("-m", "--model")
    {
        Description = "The model, a GGUF file. Left out, the demo model that comes with tamx is used.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _projector = new("--mmproj")
    {
        Description = "The vision projector that belongs to the model, a GGUF file.",
        HelpName = "FILE",
    };

    /// <summary>More cells than the largest picture that is accepted has. llama.cpp counts pixels as an int.</summary>
    private const int MaxCells = 100_000;

    /// <summary>An option that only commands with a model have.</summary>
    public const string GpuLayersName = "-ngl";

    private readonly Option<int> _gpuLayers = new(GpuLayersName, "--gpu-layers", "--n-gpu-layers")
    {
        Description = "Layers to put on the GPU; -1 for all.",
        HelpName = "N",
    };

    private readonly Option<string[]> _rpc = new("--rpc")
    {
        Description =
            "Servers of llama.cpp's RPC back end (rpc-server), whose devices are used as GPUs here; only in networks where everybody is trusted. It needs libraries built with that back end (TAMX_NATIVE_DIR).",
        HelpName = "HOST:PORT,...",
        CustomParser = result => result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries),
    };

    private readonly Option<bool> _noProjectorOffload = new("--no-mmproj-offload")
    {
        Description = "Keep the vision projector off the GPU.",
    };

    private readonly Option<int> _minImageTokens = new("--image-min-tokens")
    {
        Description = "Least cells a picture is cut into.",
        HelpName = "N",
    };

    private readonly Option<int> _maxImageTokens = new("--image-max-tokens")
    {
        Description = "Most cells a picture is cut into; fewer are faster.",
        HelpName = "N",
    };

    private readonly Option<bool> _verbose = new("-v", "--verbose")
    {
        Description = "Show on stderr llama.cpp's log, and which engine took another's place and why.",
    };

    public ModelArguments()
    {
        _gpuLayers.RequireAtLeast(-1);
        _minImageTokens.RequireWithin(0, MaxCells);
        _maxImageTokens.RequireWithin(0, MaxCells);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_projector);
        command.Options.Add(_gpuLayers);
        command.Options.Add(_rpc);
        command.Options.Add(_noProjectorOffload);
        DeviceOption.AddTo(command);
        command.Options.Add(_minImageTokens);
        command.Options.Add(_maxImageTokens);
        command.Options.Add(_verbose);
        command.AddCheck(result =>
        {
            if (result.GetValue(_model) is null && result.GetValue(_projector) is not null)
            {
                result.AddError("--mmproj needs the model it belongs to (-m).");
            }
        });
    }

    /// <summary>Whether the demo model is meant.</summary>
    public bool IsDemo(ParseResult parsed) => parsed.GetValue(_model) is null;

    /// <summary>Adds the model's files to the command's inputs; refuses what can be none.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) =>
        files.Reads(_model.Name, parsed.GetValue(_model)).Reads(_projector.Name, parsed.GetValue(_projector));

    /// <summary>Tells the user if it was the demo model.</summary>
    public void NoteDemo(ParseResult parsed)
    {
        if (IsDemo(parsed))
        {
            parsed.InvocationConfiguration.Error.WriteLine(
                "This is the demo model: it knows eight shapes in eight colours, and nothing else. "
                    + "Give your own with -m MODEL.gguf --mmproj MMPROJ.gguf."
            );
        }
    }

    /// <summary>Whether logs are asked for.</summary>
    public bool IsVerbose(ParseResult parsed) => parsed.GetValue(_verbose);

    /// <summary>The model to load, and how. From here on llama.cpp's log goes to the requested place.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="threads">Threads for the model, or 0 for its default.</param>
    public ModelOptions Read(ParseResult parsed, int threads = 0)
    {
        if (IsVerbose(parsed))
        {
            LlamaRuntime.Logger = new TextWriterLogger(parsed.InvocationConfiguration.Error);
        }

        var options = new ModelOptions
        {
            ModelPath = parsed.GetValue(_model) ?? DemoFiles.Model,
            ProjectorPath = IsDemo(parsed) ? DemoFiles.Projector : parsed.GetValue(_projector),
            GpuLayerCount = parsed.GetValue(_gpuLayers),
            RpcServers = parsed.GetValue(_rpc) ?? [],
            OffloadProjector = !parsed.GetValue(_noProjectorOffload),
            Device = DeviceOption.ForModel(parsed),
            MinImageTokens = parsed.GetValue(_minImageTokens),
            MaxImageTokens = parsed.GetValue(_maxImageTokens),
        };
        if (options is { MinImageTokens: > 0, MaxImageTokens: > 0 } && options.MinImageTokens > options.MaxImageTokens)
        {
            throw new InvalidInputException(
                $"--image-min-tokens {options.MinImageTokens} is more than --image-max-tokens {options.MaxImageTokens}"
            );
        }

        return threads > 0 ? options with { ThreadCount = threads } : options;
    }
}
