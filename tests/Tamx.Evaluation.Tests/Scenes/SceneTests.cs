using System.Security.Cryptography;
using Tamx.Evaluation.Scenes;
using Tamx.Llama.Media;

namespace Tamx.Evaluation.Tests.Scenes;

public sealed class SceneTests
{
    private const int SceneCount = 200;

    private static readonly Scene[] Scenes = [.. Enumerable.Range(0, SceneCount).Select(i => Scene.Generate(77, i))];

    /// <summary>
    /// The hashes were noted when the generator was written: the demo model was trained on these pictures.
    /// </summary>
    [Theory]
    [InlineData(1, 0, "C4FC9D94CEBEC464")]
    [InlineData(9001, 5, "62C6B0D42A9E53B8")]
    public void Generate_SeedAndIndex_GivesTheSameBytesForever(int seed, long index, string expected)
    {
        var scene = Scene.Generate(seed, index);
        Assert.Equal(expected, Convert.ToHexString(SHA256.HashData([.. scene.Rgb, .. scene.Labels]))[..16]);
    }

    [Fact]
    public void Generate_OtherSeedOrIndex_GivesAnotherScene()
    {
        var pixels = Scene.Generate(1, 0).Rgb;
        Assert.Equal(pixels, Scene.Generate(1, 0).Rgb);
        Assert.NotEqual(pixels, Scene.Generate(1, 1).Rgb);
        Assert.NotEqual(pixels, Scene.Generate(2, 0).Rgb);
        Assert.NotEqual(Scene.Generate(1, 1).Rgb, Scene.Generate(2, 0).Rgb);
    }

    [Fact]
    public void Generate_ManyScenes_HasEveryCountShapeColorAndQuestion()
    {
        Assert.Equal([1, 2, 3, 4], Scenes.Select(scene => scene.Objects.Count).Distinct().Order());
        Assert.Equal(
            Enum.GetValues<SceneShape>(),
            Scenes.SelectMany(scene => scene.Objects).Select(item => item.Shape).Distinct().Order()
        );
        Assert.Equal(
            Enum.GetValues<SceneColor>(),
            Scenes.SelectMany(scene => scene.Objects).Select(item => item.Color).Distinct().Order()
        );
        Assert.Equal(
            Enum.GetValues<QuestionKind>(),
            Scenes.SelectMany(scene => scene.Questions).Select(question => question.Kind).Distinct().Order()
        );
    }

    [Fact]
    public void Labels_EveryObject_LieWithinItsCircleAndCoverMuchOfIt()
    {
        foreach (var scene in Scenes)
        {
            var areas = new int[scene.Objects.Count + 1];
            for (var i = 0; i < scene.Labels.Length; i++)
            {
                areas[scene.Labels[i]]++;
                if (scene.Labels[i] > 0)
                {
                    var item = scene.Objects[scene.Labels[i] - 1];
                    (var y, var x) = Math.DivRem(i, scene.Size);
                    Assert.True(
                        Math.Sqrt(Square(x + 0.5 - item.CenterX) + Square(y + 0.5 - item.CenterY))
                            < (1.24 * item.Radius) + 1
                    );
                }
            }

            // Nothing is hidden or cut off: the smallest shape, the diamond, covers 0.51 of its circle's area, the
            // largest 0.86.
            Assert.All(
                scene.Objects,
                item => Assert.InRange(areas[item.Id + 1] / (Math.PI * item.Radius * item.Radius), 0.45, 0.9)
            );
        }
    }

    [Fact]
    public void Rgb_InsideAnObject_IsItsColor()
    {
        // White and black are told by light, the others by their strongest and weakest channel.
        foreach ((var scene, var item) in Scenes.SelectMany(scene => scene.Objects.Select(item => (scene, item))))
        {
            var sum = new double[3];
            var count = 0;
            for (var i = 0; i < scene.Labels.Length; i++)
            {
                if (scene.Labels[i] == item.Id + 1)
                {
                    count++;
                    for (var channel = 0; channel < 3; channel++)
                    {
                        sum[channel] += scene.Rgb[(i * 3) + channel];
                    }
                }
            }

            (var red, var green, var blue) = (sum[0] / count, sum[1] / count, sum[2] / count);
            Assert.True(
                item.Color switch
                {
                    SceneColor.Red => red > 2.5 * green && red > 2.5 * blue,
                    SceneColor.Orange => red > 1.4 * green && green > 1.8 * blue,
                    SceneColor.Yellow => red > 180 && green > 180 && blue < 100,
                    SceneColor.Green => green > 1.6 * red && green > 1.6 * blue,
                    SceneColor.Blue => blue > 1.8 * red && blue > 1.6 * green,
                    SceneColor.Purple => red > 1.4 * green && blue > 1.4 * green && red < 1.4 * blue,
                    SceneColor.White => red > 190 && green > 190 && blue > 190,
                    _ => red < 60 && green < 60 && blue < 60,
                },
                $"{item.Color}: {red:F0} {green:F0} {blue:F0}"
            );
        }
    }

    [Fact]
    public void BoundsOf_EveryObject_HoldsItsLabelsAndNoMore()
    {
        foreach (var scene in Scenes.Take(20))
        {
            foreach (var item in scene.Objects)
            {
                (var left, var top, var right, var bottom) = scene.BoundsOf(item.Id);
                IEnumerable<(int Y, int X)> places = scene
                    .Labels.Index()
                    .Where(pair => pair.Item == item.Id + 1)
                    .Select(pair => Math.DivRem(pair.Index, scene.Size))
                    .Select(pair => (pair.Quotient, pair.Remainder));
                Assert.Equal(
                    (left, top, right, bottom),
                    (places.Min(p => p.X), places.Min(p => p.Y), places.Max(p => p.X) + 1, places.Max(p => p.Y) + 1)
                );
            }
        }
    }

    [Fact]
    public void Generate_Crowded_HasMoreObjectsAndNoQuestions()
    {
        var scene = Scene.Generate(3, 0, new SceneOptions { MinObjects = 6, MaxObjects = 8 });
        Assert.InRange(scene.Objects.Count, 5, 8);
        Assert.Empty(scene.Questions);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public void Generate_OtherSize_FillsItAlike(int size)
    {
        var scene = Scene.Generate(5, 2, new SceneOptions { Size = size });
        var usual = Scene.Generate(5, 2);
        Assert.Equal(size * size * 3, scene.Rgb.Length);
        Assert.Equal(
            usual.Questions.Select(question => question.Answer),
            scene.Questions.Select(question => question.Answer)
        );
    }

    [Theory]
    [InlineData(255, 1, 4)]
    [InlineData(1025, 1, 4)]
    [InlineData(384, 0, 4)]
    [InlineData(384, 1, 9)]
    [InlineData(384, 3, 2)]
    public void Generate_OptionOutsideItsLimits_Throws(int size, int min, int max) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Scene.Generate(
                1,
                0,
                new SceneOptions
                {
                    Size = size,
                    MinObjects = min,
                    MaxObjects = max,
                }
            )
        );

    [Fact]
    public void PngPicture_Encode_IsReadBackByTheProduct()
    {
        var scene = Scenes[3];
        var image = RgbImage.Decode(PngPicture.Encode(scene.Rgb, scene.Size), "scene");
        Assert.Equal((scene.Size, scene.Size), (image.Width, image.Height));
        Assert.Equal(scene.Rgb, image.Pixels.ToArray());
    }

    private static double Square(double value) => value * value;
}
