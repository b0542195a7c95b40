using Microsoft.Extensions.Logging;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>Sends log lines to the server, for its log.</summary>
/// <param name="frames">Where the server reads.</param>
/// <param name="least">The least level that is wanted.</param>
/// <param name="most">The level of lines that call themselves more important.</param>
internal sealed class FrameLogger(FrameStream frames, LogLevel least, LogLevel most) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => Bounded(logLevel) >= least && logLevel < LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        var text = formatter(state, exception);
        try
        {
            frames.Write(
                FrameKind.Log,
                WireJson.Bytes(new LogEvent(Bounded(logLevel), exception is null ? text : $"{text}: {exception}"))
            );
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The server is gone, and with it whoever reads the log.
        }
    }

    private LogLevel Bounded(LogLevel level) => level < most ? level : most;
}
