// Writes samples/demo-model and samples/images anew. From the root of the repository: dotnet run samples/write-samples.cs
#:project ../tests/Tamx.Testing/Tamx.Testing.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

using Tamx.Testing;

string samples = Path.Combine(Directory.GetCurrentDirectory(), "samples");
(string modelPath, string projectorPath) = RandomModel.Write(Path.Combine(samples, "demo-model"), DemoModel.Options);
string picturePath = Path.Combine(samples, "images", "table.jpg");
File.WriteAllBytes(picturePath, SampleScene.Render());
foreach (string path in (string[])[modelPath, projectorPath, picturePath])
{
    Console.WriteLine($"{path}: {new FileInfo(path).Length:N0} bytes");
}
