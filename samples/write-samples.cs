// Writes samples/images anew. From the root of the repository: dotnet run samples/write-samples.cs [-- table]
#:project ../tests/Tamx.Testing/Tamx.Testing.csproj
#:project ../src/Tamx.Evaluation/Tamx.Evaluation.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

using ImageMagick;
using Tamx.Evaluation.Scenes;
using Tamx.Testing;

var images = Path.Combine(Directory.GetCurrentDirectory(), "samples", "images");
(string Name, int Index)[] scenes = [("scene.jpg", 36), ("scene-2.jpg", 32), ("scene-3.jpg", 20)];
foreach (var (name, index) in scenes)
{
    var scene = Scene.Generate(9001, index);
    using var image = new MagickImage(scene.ToPng()) { Quality = 92 };
    File.WriteAllBytes(Path.Combine(images, name), image.ToByteArray(MagickFormat.Jpeg));
    Console.WriteLine($"{name}: {scene.Questions[0].Answer}");
}

// A moving shape, two frames a second.
var video = SceneVideo.Generate(9001, 5, frameCount: 8);
using (var frames = new MagickImageCollection())
{
    foreach (var rgb in video.Frames)
    {
        var pixels = new PixelReadSettings((uint)video.Size, (uint)video.Size, StorageType.Char, "RGB");
        var frame = new MagickImage();
        frame.ReadPixels(rgb, pixels);
        (frame.AnimationDelay, frame.Format) = (50, MagickFormat.Gif);
        frames.Add(frame);
    }

    frames.Quantize(new QuantizeSettings { Colors = 64, DitherMethod = DitherMethod.No });
    frames.OptimizePlus();
    frames.Write(Path.Combine(images, "moving.gif"), MagickFormat.Gif);
    Console.WriteLine($"moving.gif: {video.Question.Answer}");
}

// Two CPU minutes; left alone unless it is asked for.
if (args is ["table"])
{
    File.WriteAllBytes(Path.Combine(images, "table.jpg"), SampleScene.Render());
}
