using Microsoft.Extensions.Hosting;

namespace Tamx.Web.Runs;

/// <summary>An application that serves a model starts with it: a model that cannot be loaded ends the start.</summary>
internal sealed class ModelStart(ModelWorker worker) : IHostedService
{
    /// <exception cref="InvalidInputException">The model cannot be loaded.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await worker.GetAsync(null, cancellationToken);
        }
        catch (WorkerDiedException e)
        {
            throw new InvalidInputException($"the model's process ended while it loaded the model: {e.Message}", e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
