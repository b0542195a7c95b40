using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Media;

namespace Tamx.Web.Worker;

/// <summary>What a worker tells of an exception.</summary>
internal static class Faults
{
    public static FailedEvent Describe(Exception e)
    {
        var fault = Known(e);
        if (fault.Status == 500)
        {
            // The server takes this to its log.
            Console.Error.WriteLine(e);
        }

        return fault;
    }

    private static FailedEvent Known(Exception e) => e switch
    {
        OperationCanceledException => new FailedEvent(499, "cancelled", "the request was cancelled"),
        ImageFormatException => new FailedEvent(400, "invalid_image", e.Message),
        ModelFormatException => new FailedEvent(503, "model_unavailable", e.Message),
        InvalidInputException => new FailedEvent(400, "invalid_input", e.Message),
        EngineUnavailableException or NativeLibraryException => new FailedEvent(503, "model_unavailable", e.Message),
        LlamaException => new FailedEvent(500, "model_failed", e.Message),
        _ => new FailedEvent(500, "internal_error", "the worker made a mistake; the server's log says which"),
    };
}
