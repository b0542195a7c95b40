using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>Engines, whose choice is logged.</summary>
internal static partial class EngineLog
{
    /// <summary>Creates an engine.</summary>
    /// <param name="options">Which.</param>
    /// <param name="loggers">Told which devices are passed over, and why, and what was chosen.</param>
    /// <exception cref="EngineUnavailableException">The engine is not in this build or does not work here.</exception>
    public static ITamEngine Create(EngineOptions options, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger(LogCategories.Maps);
        var engine = TamEngines.Create(options, line => LogPassedOver(logger, line));
        LogChosen(logger, engine.Name);
        return engine;
    }

    [LoggerMessage(
        EventId = 1,
        EventName = "EngineChosen",
        Level = LogLevel.Debug,
        Message = "maps by engine {Engine}"
    )]
    private static partial void LogChosen(ILogger logger, string engine);

    [LoggerMessage(EventId = 3, EventName = "EnginePassedOver", Level = LogLevel.Information, Message = "maps: {Line}")]
    private static partial void LogPassedOver(ILogger logger, string line);
}
