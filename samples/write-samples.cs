// Writes samples/images anew. From the root of the repository: dotnet run samples/write-samples.cs
#:project ../tests/Tamx.Testing/Tamx.Testing.csproj
#:project demo-model/scenes/Tamx.Scenes.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

using Tamx.Scenes;
using Tamx.Testing;

string images = Path.Combine(Directory.GetCurrentDirectory(), "samples", "images");
(string Name, int Index)[] scenes = [("scene.png", SCENE0), ("scene-2.png", SCENE1), ("scene-3.png", SCENE2)];
foreach ((string name, int index) in scenes)
{
    Scene scene = Scene.Generate(9001, index);
    File.WriteAllBytes(Path.Combine(images, name), PngPicture.Encode(scene.Rgb, scene.Size));
    Console.WriteLine($"{name}: {scene.Questions[0].Answer}");
}

File.WriteAllBytes(Path.Combine(images, "table.jpg"), SampleScene.Render());
