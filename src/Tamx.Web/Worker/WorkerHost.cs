using System.Text.Json;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>
/// The process that runs the model, and the engine, for a server: whatever ends it, the server lives.
/// </summary>
/// <remarks>
/// It reads commands from its standard input and answers on its standard output, frame by frame. It ends when its input
/// does.
/// </remarks>
public static class WorkerHost
{
    /// <summary>Serves one server until it closes the input.</summary>
    /// <param name="input">Commands.</param>
    /// <param name="output">Events.</param>
    /// <returns>0, or 1 if the model could not be loaded or the input made no sense.</returns>
    public static async Task<int> RunAsync(Stream input, Stream output)
    {
        using var frames = new FrameStream(input, output);
        await using var session = new WorkerSession(frames);
        try
        {
            return session.Run() ? 0 : 1;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or JsonException)
        {
            return 1;
        }
    }
}
