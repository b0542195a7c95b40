using Tamx.Llama.Families;

namespace Tamx.Llama.Gguf;

/// <summary>Checks a text model and an mmproj before llama.cpp sees them.</summary>
/// <remarks>
/// llama.cpp (b10221) ends the process on many faults of a file: a key of another type, a missing, misshapen or
/// unexpected tensor, an exception out of its tokenizer. So the lists here are closed: all that it reads is known by
/// name, type and bounds, and any other tensor is refused. Each error names the file, the key or tensor, and what would
/// be right.
/// </remarks>
public static partial class Preflight
{
    /// <summary>Checks that a model and an mmproj were made for each other.</summary>
    /// <param name="model">Facts of the text model.</param>
    /// <param name="projector">Facts of the mmproj.</param>
    /// <exception cref="ModelFormatException">They do not fit; the message says where.</exception>
    public static void CheckPair(ModelFacts model, ProjectorFacts projector)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(projector);
        if (!ModelFamily.Of(model).Projectors.Contains(ProjectorKind.Find(projector.ProjectorType)))
        {
            throw Misfit($"its projector {projector.ProjectorType} does not belong to {model.Family}");
        }

        if (projector.ProjectionSize != model.HiddenSize)
        {
            throw Misfit(
                $"its vision tokens have {projector.ProjectionSize} values, the model's hidden size is "
                    + $"{model.HiddenSize}"
            );
        }

        if (projector.DeepstackLayerIndices.Count != model.DeepstackLayerCount)
        {
            throw Misfit(
                $"it has {projector.DeepstackLayerIndices.Count} deepstack layers, the model expects "
                    + $"{model.DeepstackLayerCount}"
            );
        }

        ModelFormatException Misfit(string why) =>
            new(
                projector.Path,
                $"is the mmproj of another model than {model.Path}: {why}; take the mmproj published with the model"
            );
    }
}
