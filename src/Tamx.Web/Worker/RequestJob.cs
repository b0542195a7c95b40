using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>One request in the worker: opens its files, has it answered, and tells of what fails.</summary>
/// <param name="model">The model.</param>
/// <param name="calibration">Its calibration, or null.</param>
/// <param name="engine">What computes maps.</param>
/// <param name="frames">Where it tells of what comes.</param>
internal sealed class RequestJob(
    VisionLanguageModel model,
    ModelCalibration? calibration,
    ITamEngine engine,
    FrameStream frames
)
{
    /// <summary>The request, with a region that is looked at by the layer that the calibration names.</summary>
    private WorkerRequest WithCalibration(WorkerRequest request)
    {
        var completion = request.Options.Completion;
        return calibration is null || completion.Region is not { } region
            ? request
            : request with
            {
                Options = request.Options with { Completion = completion with { Region = calibration.Apply(region) } },
            };
    }

    public async Task RunAsync(WorkerRequest request, byte[][] files, CancellationToken stop, CancellationToken cancel)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, cancel);
            var messages = new RequestMedia(request, files, either.Token).Open();
            request = WithCalibration(request);
            var done =
                request.WithMaps || request.WithVerdicts
                    ? await new ExplainJob(model, calibration, engine, frames).RunAsync(
                        request,
                        messages,
                        either.Token,
                        cancel
                    )
                    : await new AnswerJob(model, frames).RunAsync(request, messages, either.Token, cancel);
            frames.Write(FrameKind.Done, WireJson.Bytes(done));
        }
        catch (OutOfMemoryException e)
        {
            // The process, or the decoder of pictures in it, has no memory left. A new process has.
            Console.Error.WriteLine(e.Message);
            WorkerSession.EndProcess();
        }
        catch (Exception e)
        {
            var fault = Faults.Describe(e);
            string[] pieces = [.. fault.Pieces.Select(text => WithoutFolders(text, request))];
            frames.Write(FrameKind.Failed, WireJson.Bytes(fault with { Pieces = pieces }));
        }
    }

    /// <summary>Takes out the folders: where files lie on this machine is not a client's business.</summary>
    private string WithoutFolders(string text, WorkerRequest request)
    {
        string?[] folders =
        [
            request.Folder,
            Path.GetDirectoryName(model.Facts.Path),
            Path.GetDirectoryName(model.Projector?.Path),
        ];
        return folders
            .Where(folder => !string.IsNullOrEmpty(folder))
            .Aggregate(
                text,
                (rest, folder) => rest.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
            );
    }
}
