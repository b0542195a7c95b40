namespace Tamx.Evaluation.Scenes;

/// <summary>A picture of coloured shapes whose masks, caption, questions and answers are known exactly.</summary>
/// <remarks>The same seed, index and options give the same scene, to the last bit, on every machine.</remarks>
public sealed class Scene
{
    private Scene(
        int size,
        SceneCanvas canvas,
        IReadOnlyList<SceneObject> objects,
        IReadOnlyList<SceneQuestion> questions
    )
    {
        Size = size;
        Rgb = canvas.Rgb;
        Labels = canvas.Labels;
        Objects = objects;
        Questions = questions;
    }

    /// <summary>Width and height in pixels.</summary>
    public int Size { get; }

    /// <summary>Pixels, row by row, red green blue.</summary>
    public byte[] Rgb { get; }

    /// <summary>One byte per pixel: 0 is background, i + 1 is object i.</summary>
    public byte[] Labels { get; }

    /// <summary>The objects. Up to four of them stand in the caption's order.</summary>
    public IReadOnlyList<SceneObject> Objects { get; }

    /// <summary>Questions with answers. The first asks for the caption. Empty for crowded scenes.</summary>
    public IReadOnlyList<SceneQuestion> Questions { get; }

    /// <summary>Makes a scene.</summary>
    /// <param name="seed">A stream of scenes. Streams with different seeds have nothing in common.</param>
    /// <param name="index">The scene's place in the stream.</param>
    /// <param name="options">What it shall look like.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its limits.</exception>
    public static Scene Generate(int seed, long index, SceneOptions? options = null)
    {
        options ??= new SceneOptions();
        options.Check();
        var random = new SceneRandom((ulong)seed, (ulong)index);
        var objects = SceneLayout.Arrange(options, ref random);

        // Questions have numbers of their own: how many the drawing takes depends on the size.
        var asking = random;
        asking = new SceneRandom(asking.NextBits(), 1);
        var canvas = new SceneCanvas(options.Size);
        canvas.DrawBackground(ref random);
        foreach (var item in objects)
        {
            canvas.Draw(item, ref random);
        }

        var questions =
            objects.Count <= SceneOptions.MaxDescribed ? QuestionWriter.Write(objects, options.Size, ref asking) : [];
        return new Scene(options.Size, canvas, objects, questions);
    }

    /// <summary>The picture as a PNG file.</summary>
    public byte[] ToPng() => PngPicture.Encode(Rgb, Size);

    /// <summary>Where an object shows: the smallest box around its pixels.</summary>
    /// <param name="objectId">The object's <see cref="SceneObject.Id"/>.</param>
    /// <returns>The box; right and bottom are the first column and row outside.</returns>
    public (int Left, int Top, int Right, int Bottom) BoundsOf(int objectId)
    {
        var (left, top, right, bottom) = (Size, Size, 0, 0);
        for (var i = 0; i < Labels.Length; i++)
        {
            if (Labels[i] == objectId + 1)
            {
                var (y, x) = Math.DivRem(i, Size);
                (left, top) = (Math.Min(left, x), Math.Min(top, y));
                (right, bottom) = (Math.Max(right, x + 1), Math.Max(bottom, y + 1));
            }
        }

        return (left, top, right, bottom);
    }
}
