using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <content>Computing the maps of a trace.</content>
public sealed partial class ActivationMaps
{
    /// <summary>Computes the token activation maps of a trace's answer.</summary>
    /// <param name="trace">The run to explain.</param>
    /// <param name="options">Options of the method; null for the defaults.</param>
    /// <param name="engine">The engine, which stays the caller's; null to create the one that the options name.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <returns>Maps, text relevance and logits per answer token and candidate.</returns>
    /// <remarks>Source: the paper (arXiv 2506.23270) as TAMX's <c>compute_tam</c> has it; <see cref="TamOptions"/> names the differences.</remarks>
    /// <exception cref="InvalidInputException">The trace or an option cannot be used; the message names position, tensor or option.</exception>
    /// <exception cref="EngineUnavailableException">The engine that the options name is not in this build.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ActivationMaps Compute(
        Trace trace,
        TamOptions? options = null,
        ITamEngine? engine = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trace);
        options ??= new TamOptions();
        options.Validate();
        trace.Validate();
        using var ownEngine = engine is null ? TamEngine.Create(options.Engine, options.ThreadCount) : null;
        return new MapComputation(trace, ParseLayout(trace, options), options, engine ?? ownEngine!, cancellationToken).Run();
    }

    private static SequenceLayout ParseLayout(Trace trace, TamOptions options)
    {
        try
        {
            return SequenceLayout.Parse(trace, options);
        }
        catch (InvalidInputException e) when (trace.SourcePath is not null)
        {
            throw new TraceFormatException(trace.SourcePath, e.Message, e);
        }
    }
}
