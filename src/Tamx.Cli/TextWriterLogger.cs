using Microsoft.Extensions.Logging;

namespace Tamx.Cli;

/// <summary>Writes log lines to stderr.</summary>
internal sealed class TextWriterLogger(TextWriter writer, LogLevel least = LogLevel.Debug) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (IsEnabled(logLevel))
        {
            var line = OutsideText.Line(formatter(state, exception));
            writer.WriteLine(exception is null ? line : $"{line}: {OutsideText.Lines(exception.ToString())}");
        }
    }
}
