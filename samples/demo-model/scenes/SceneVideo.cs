namespace Tamx.Scenes;

/// <summary>A short video of shapes of which one moves.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Frames">Each frame's pixels, row by row, red green blue.</param>
/// <param name="Labels">Each frame's label map: 0 is background, i + 1 is object i.</param>
/// <param name="Objects">The objects as the first frame has them; object 0 moves.</param>
/// <param name="Question">Asks for the caption.</param>
public sealed record SceneVideo(
    int Size, IReadOnlyList<byte[]> Frames, IReadOnlyList<byte[]> Labels, IReadOnlyList<SceneObject> Objects, SceneQuestion Question)
{
    /// <summary>What a video is asked.</summary>
    public const string Prompt = "Describe this video.";

    /// <summary>Makes a video: one object moves over a quarter of the picture to one side, and often another stands aside.</summary>
    /// <param name="seed">A stream of videos.</param>
    /// <param name="index">The video's place in the stream.</param>
    /// <param name="frameCount">Frames, 2 to 64.</param>
    /// <param name="size">Width and height in pixels, 256 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is outside its limits.</exception>
    public static SceneVideo Generate(int seed, long index, int frameCount = 4, int size = 384)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frameCount, 64);
        SceneOptions options = new() { Size = size, MaxObjects = 2 };
        options.Check();
        SceneRandom random = new((ulong)seed, (ulong)index);
        (string word, SceneObject[] start, double stepX, double stepY) = Plan(options, ref random);

        List<byte[]> frames = [];
        List<byte[]> labels = [];
        SceneRandom drawing = new(random.NextBits(), 0);
        for (int i = 0; i < frameCount; i++)
        {
            // Every frame is drawn with the same numbers: background and paint stay, only the object moves.
            SceneRandom frame = drawing;
            double way = size / 4.0 * i / (frameCount - 1);
            SceneCanvas canvas = new(size);
            canvas.DrawBackground(ref frame);
            foreach (SceneObject item in start)
            {
                canvas.Draw(item.Id == 0 ? item with { CenterX = item.CenterX + (stepX * way), CenterY = item.CenterY + (stepY * way) } : item, ref frame);
            }

            frames.Add(canvas.Rgb);
            labels.Add(canvas.Labels);
        }

        string answer = $"The {start[0].Adjective} {start[0].Noun} moves {word}.";
        return new SceneVideo(size, frames, labels, start, QuestionWriter.Ask(QuestionKind.Describe, Prompt, answer, start));
    }

    /// <summary>Looks for objects of which the first has room to move.</summary>
    private static (string Word, SceneObject[] Objects, double StepX, double StepY) Plan(SceneOptions options, ref SceneRandom random)
    {
        (string Word, double StepX, double StepY)[] ways = [("right", 1, 0), ("left", -1, 0), ("down", 0, 1), ("up", 0, -1)];
        while (true)
        {
            SceneObject[] objects = [.. SceneLayout.Arrange(options, ref random)];
            (string word, double stepX, double stepY) = random.Pick(ways);
            double way = options.Size / 4.0;
            SceneObject mover = objects[0];
            bool HasRoom(double part)
            {
                (double x, double y) = (mover.CenterX + (stepX * part), mover.CenterY + (stepY * part));
                return x >= mover.Radius && y >= mover.Radius && x <= options.Size - mover.Radius && y <= options.Size - mover.Radius
                    && objects.Skip(1).All(other => Math.Abs(other.CenterX - x) + Math.Abs(other.CenterY - y) > 1.5 * (other.Radius + mover.Radius));
            }

            if (HasRoom(0) && HasRoom(way / 2) && HasRoom(way))
            {
                return (word, objects, stepX, stepY);
            }
        }
    }
}
