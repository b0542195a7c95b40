using Tamx.Evaluation;
using Tamx.Llama.Chat;
using Tamx.Scenes;
using WordKind = Tamx.Evaluation.WordKind;

namespace Tamx.Cli;

/// <summary>Generated scenes as samples: each asks for the caption.</summary>
internal static class SceneSamples
{
    /// <summary>The scenes of a seed, from the first.</summary>
    public static IEnumerable<EvaluationSample> Generate(int seed, int count) =>
        Enumerable.Range(0, count).Select(index => Sample($"scene-{seed}-{index}", Scene.Generate(seed, index)));

    private static EvaluationSample Sample(string name, Scene scene)
    {
        var question = scene.Questions[0];
        return new EvaluationSample
        {
            Name = name,
            Picture = new ImagePart(Bitmap24.Encode(scene.Size, scene.Size, scene.Rgb), name),
            Prompt = question.Prompt,
            ExpectedAnswer = question.Answer,
            Labels = new LabelMap(scene.Size, scene.Size, scene.Labels),
            Words = [.. question.Words.Select(word => new ExpectedWord(word.Text, KindOf(word.Kind), [.. word.ObjectIds.Select(id => id + 1)]))],
        };
    }

    private static WordKind KindOf(Scenes.WordKind kind) => kind switch
    {
        Scenes.WordKind.Noun => WordKind.Noun,
        Scenes.WordKind.Color => WordKind.Colour,
        _ => WordKind.Function,
    };
}
