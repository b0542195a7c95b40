using System.CommandLine;
using Tamx.Kernels;

namespace Tamx.Cli;

/// <summary>The options for the engine that computes the maps, and for its share of the machine.</summary>
internal sealed class EngineArguments
{
    private readonly Option<int> _threads = new("-t", "--threads")
    {
        Description = "Threads to use; left out, the engine chooses.",
        HelpName = "THREADS",
    };

    private readonly Option<EngineKind> _engine = new("--engine")
    {
        Description = $"What to compute with: auto (the default), {string.Join(", ", TamEngines.All)}.",
        HelpName = "ENGINE",
        CustomParser = result => result.Tokens is [var token, ..] ? new EngineKind(token.Value) : EngineKind.Auto,
    };

    private readonly Option<long> _maxDeviceBytes = new("--max-device-bytes")
    {
        Description = "Most memory that an engine may take on a device; left out, all that it has.",
        HelpName = "BYTES",
    };

    private readonly Option<long> _maxWorkingBytes = new("--max-working-bytes")
    {
        Description = "Memory for maps in the making: larger answers are computed in slices.",
        HelpName = "BYTES",
        DefaultValueFactory = _ => new EngineOptions().MaxWorkingBytes,
    };

    public EngineArguments()
    {
        _threads.RequireWithin(1, OptionRanges.MaxThreads);
        _maxDeviceBytes.RequireAtLeast(1);
        _maxWorkingBytes.RequireAtLeast(1);
    }

    /// <summary>
    /// For commands without a model. With a model, the option of this name also shows llama.cpp's log.
    /// </summary>
    public Option<bool> Verbose { get; } =
        new("-v", "--verbose") { Description = "Show on stderr which engine took another's place and why." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_threads);
        command.Options.Add(_engine);
        DeviceOption.AddTo(command);
        command.Options.Add(_maxDeviceBytes);
        command.Options.Add(_maxWorkingBytes);
    }

    /// <summary>Threads, also for the model; 0 leaves the choice to each.</summary>
    public int ThreadCount(ParseResult parsed) => parsed.GetValue(_threads);

    /// <summary>
    /// Creates a command's engine; the command disposes of it. Call it before slow work, since it checks that the
    /// engine works here.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="isVerbose">Whether stderr says which engine took another's place.</param>
    /// <exception cref="EngineUnavailableException">The engine does not work here.</exception>
    public ITamEngine Create(ParseResult parsed, bool isVerbose)
    {
        var kind = parsed.GetValue(_engine);
        var options = new EngineOptions
        {
            Kind = kind,
            Device = DeviceOption.ForMaps(parsed, kind),
            ThreadCount = ThreadCount(parsed),
            MaxDeviceBytes = parsed.GetValue(_maxDeviceBytes),
            MaxWorkingBytes = parsed.GetValue(_maxWorkingBytes),
        };
        return TamEngines.Create(options, isVerbose ? parsed.InvocationConfiguration.Error.WriteLine : null);
    }
}
