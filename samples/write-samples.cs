// Writes samples/images anew. From the root of the repository: dotnet run samples/write-samples.cs [-- table]
#:project ../tests/Tamx.Testing/Tamx.Testing.csproj
#:project demo-model/scenes/Tamx.Scenes.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

using ImageMagick;
using Tamx.Scenes;
using Tamx.Testing;

string images = Path.Combine(Directory.GetCurrentDirectory(), "samples", "images");
(string Name, int Index)[] scenes = [("scene.jpg", 36), ("scene-2.jpg", 32), ("scene-3.jpg", 20)];
foreach ((string name, int index) in scenes)
{
    Scene scene = Scene.Generate(9001, index);
    using MagickImage image = new(PngPicture.Encode(scene.Rgb, scene.Size)) { Quality = 92 };
    File.WriteAllBytes(Path.Combine(images, name), image.ToByteArray(MagickFormat.Jpeg));
    Console.WriteLine($"{name}: {scene.Questions[0].Answer}");
}

// A moving shape, two frames a second.
SceneVideo video = SceneVideo.Generate(9001, 5, frameCount: 8);
using (MagickImageCollection frames = [])
{
    foreach (byte[] rgb in video.Frames)
    {
        frames.Add(new MagickImage(PngPicture.Encode(rgb, video.Size)) { AnimationDelay = 50, Format = MagickFormat.Gif });
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
