using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Media;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>What a worker tells of an exception.</summary>
internal static class Faults
{
    public static FailedEvent Describe(Exception e)
    {
        var fault = Known(e);
        if (fault.Status == 500 || e is StorageException)
        {
            // The server takes this to its log.
            Console.Error.WriteLine(e is StorageException ? e.Message : e);
        }

        return fault;
    }

    private static FailedEvent Known(Exception e) =>
        e switch
        {
            OperationCanceledException => new FailedEvent(499, FailedEvent.Cancelled, ["the request was cancelled"]),
            ImageFormatException fault => FailedEvent.Of(400, "invalid_image", fault),
            ModelFormatException fault => FailedEvent.Of(503, "model_unavailable", fault),
            InvalidInputException fault => FailedEvent.Of(400, "invalid_input", fault),
            EngineUnavailableException or NativeLibraryException => new FailedEvent(
                503,
                "model_unavailable",
                [e.Message]
            ),
            StorageException => new FailedEvent(
                503,
                FailedEvent.CannotWrite,
                ["the server cannot write a run's files; its log says why"]
            ),
            LlamaException => new FailedEvent(500, "model_failed", [e.Message]),
            _ => new FailedEvent(500, "internal_error", ["the worker made a mistake; the server's log says which"]),
        };
}
