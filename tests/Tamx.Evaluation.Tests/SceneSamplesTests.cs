using Tamx.Evaluation.Scenes;
using Tamx.Llama.Media;

namespace Tamx.Evaluation.Tests;

public sealed class SceneSamplesTests
{
    [Fact]
    public void Generate_Words_StandForTheScenesObjects()
    {
        EvaluationSample[] samples = [.. SceneSamples.Generate(seed: 3, count: 6)];

        Assert.Equal(Enumerable.Range(0, 6).Select(index => $"scene-3-{index}"), samples.Select(sample => sample.Name));
        for (var i = 0; i < samples.Length; i++)
        {
            var scene = Scene.Generate(3, i);
            Assert.Equal(samples[i].ExpectedAnswer, scene.Questions[0].Answer);
            Assert.Equal(scene.Rgb, RgbImage.Decode(samples[i].Picture.Encoded, "scene").Pixels);
            foreach (var word in samples[i].Words!.Where(word => word.Kind != WordKind.Function))
            {
                bool IsNamed(SceneObject item) =>
                    word.Text == (word.Kind == WordKind.Noun ? item.Noun : item.Adjective);
                var named = scene.Objects.Where(IsNamed).Select(item => item.Id + 1).ToArray();
                Assert.NotEmpty(named);
                Assert.Equal(named, word.Labels);
                var pixels = scene.Labels.Count(label => named.Contains(label));
                Assert.Equal(pixels, samples[i].Labels.MaskOf([.. word.Labels]).Count);
            }
        }
    }
}
