namespace Tamx.Evaluation.Scenes;

/// <summary>A short video of shapes of which one moves.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Frames">Each frame's pixels, row by row, red green blue.</param>
/// <param name="Labels">Each frame's label map: 0 is background, i + 1 is object i.</param>
/// <param name="Objects">The objects as the first frame has them. Object 0 moves.</param>
/// <param name="Question">Asks for the caption.</param>
public sealed record SceneVideo(
    int Size,
    IReadOnlyList<byte[]> Frames,
    IReadOnlyList<byte[]> Labels,
    IReadOnlyList<SceneObject> Objects,
    SceneQuestion Question
)
{
    /// <summary>What a video is asked.</summary>
    public const string Prompt = "Describe this video.";

    /// <summary>
    /// Makes a video: one object moves by a quarter of the picture, to one side. Often another one stands aside.
    /// </summary>
    /// <param name="seed">A stream of videos.</param>
    /// <param name="index">The video's place in the stream.</param>
    /// <param name="frameCount">Frames, 2 to 64.</param>
    /// <param name="size">Width and height in pixels, 256 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is outside its limits.</exception>
    public static SceneVideo Generate(int seed, long index, int frameCount = 4, int size = 384)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frameCount, 64);
        var options = new SceneOptions { Size = size, MaxObjects = 2 };
        options.Check();
        var random = new SceneRandom((ulong)seed, (ulong)index);
        var (word, start, stepX, stepY) = Plan(options, ref random);

        var frames = new List<byte[]>();
        var labels = new List<byte[]>();
        var drawing = new SceneRandom(random.NextBits(), 0);
        for (var i = 0; i < frameCount; i++)
        {
            // Every frame is drawn with the same numbers: background and paint stay, only the object moves.
            var frame = drawing;
            var way = size / 4.0 * i / (frameCount - 1);
            var canvas = new SceneCanvas(size);
            canvas.DrawBackground(ref frame);
            foreach (var item in start)
            {
                var (x, y) = item.Id == 0 ? (stepX * way, stepY * way) : (0, 0);
                canvas.Draw(item with { CenterX = item.CenterX + x, CenterY = item.CenterY + y }, ref frame);
            }

            frames.Add(canvas.Rgb);
            labels.Add(canvas.Labels);
        }

        var answer = $"The {start[0].Adjective} {start[0].Noun} moves {word}.";
        var question = QuestionWriter.Ask(QuestionKind.Describe, Prompt, answer, start);
        return new SceneVideo(size, frames, labels, start, question);
    }

    /// <summary>Looks for objects of which the first has room to move.</summary>
    private static (string Word, SceneObject[] Objects, double StepX, double StepY) Plan(
        SceneOptions options,
        ref SceneRandom random
    )
    {
        (string Word, double StepX, double StepY)[] ways =
        [
            ("right", 1, 0),
            ("left", -1, 0),
            ("down", 0, 1),
            ("up", 0, -1),
        ];
        while (true)
        {
            SceneObject[] objects = [.. SceneLayout.Arrange(options, ref random)];
            var (word, stepX, stepY) = random.Pick(ways);
            var way = options.Size / 4.0;
            var mover = objects[0];
            bool HasRoom(double part)
            {
                var (x, y) = (mover.CenterX + (stepX * part), mover.CenterY + (stepY * part));
                return x >= mover.Radius
                    && x <= options.Size - mover.Radius
                    && y >= mover.Radius
                    && y <= options.Size - mover.Radius
                    && objects
                        .Skip(1)
                        .All(other =>
                            1.5 * (other.Radius + mover.Radius)
                            < Math.Abs(other.CenterX - x) + Math.Abs(other.CenterY - y)
                        );
            }

            if (HasRoom(0) && HasRoom(way / 2) && HasRoom(way))
            {
                return (word, objects, stepX, stepY);
            }
        }
    }
}
