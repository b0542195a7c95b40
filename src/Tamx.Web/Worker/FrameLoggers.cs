using Microsoft.Extensions.Logging;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>The worker's log, which is the server's.</summary>
internal sealed class FrameLoggers(FrameStream frames, LogLevel least) : ILoggerFactory
{
    /// <summary>
    /// What llama.cpp warns of is for whoever looks into it, and what it fails at is in the error: Debug at most.
    /// </summary>
    public ILogger CreateLogger(string categoryName) =>
        new FrameLogger(frames, least, categoryName == Llama.LogCategories.Native ? LogLevel.Debug : LogLevel.Critical);

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("The worker's log goes to its server.");

    public void Dispose() { }
}
