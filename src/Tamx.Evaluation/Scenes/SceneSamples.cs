using Tamx.Evaluation.Scenes;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Evaluation;

/// <summary>Generated scenes as samples. Each asks for the caption, and its masks are exact.</summary>
public static class SceneSamples
{
    /// <summary>The scenes of a stream, from the first. Each is made when it is reached.</summary>
    /// <param name="seed">The stream. Two streams have nothing in common.</param>
    /// <param name="count">Number of scenes.</param>
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
            Words = [.. question.Words.Select(word => new ExpectedWord(word.Text, word.Kind, LabelsOf(word)))],
        };
    }

    private static int[] LabelsOf(SceneWord word) => [.. word.ObjectIds.Select(id => id + 1)];
}
