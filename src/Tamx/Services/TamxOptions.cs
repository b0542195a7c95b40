using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>A model as a service: what is loaded, what computes its maps, and how answers are made.</summary>
/// <remarks>
/// It binds from configuration, as all options of Tamx do, each property by its name:
/// <c>{ "Model": { "ModelPath": "model.gguf" } }</c>.
/// </remarks>
public sealed record TamxOptions
{
    /// <summary>The model.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>What computes the maps.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>How answers are generated and explained, for whoever takes it from the services.</summary>
    public ExplainOptions Explain { get; init; } = new();

    /// <summary>Refuses what cannot work, without opening a file.</summary>
    /// <exception cref="InvalidInputException">
    /// Values are missing or out of their range; the message names the path of each: <c>Model.ThreadCount</c>.
    /// </exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        faults.Check(nameof(Model), (Model ?? new ModelOptions { ModelPath = "" }).Validate);
        faults.Check(nameof(Engine), Engine.Validate);
        faults.Check($"{nameof(Explain)}.{nameof(Explain.Completion)}", Explain.Completion.Validate);
        faults.Check($"{nameof(Explain)}.{nameof(Explain.Tam)}", Explain.Tam.Validate);
        if (faults.Text is { } text)
        {
            throw new InvalidInputException(text);
        }
    }
}
