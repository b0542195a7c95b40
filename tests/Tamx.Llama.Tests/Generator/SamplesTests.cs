using System.Runtime.CompilerServices;
using Tamx.Llama.Gguf;
using Tamx.Llama.Imaging;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Generator;

public class SamplesTests
{
    [Fact]
    public void DemoModel_CommittedFiles_AreWhatTheGeneratorWrites()
    {
        string folder = Path.Combine(Samples(), "demo-model");

        byte[] model = File.ReadAllBytes(Path.Combine(folder, "tamx-demo-untrained.gguf"));
        byte[] projector = File.ReadAllBytes(Path.Combine(folder, "mmproj-tamx-demo-untrained.gguf"));

        Assert.True(model.AsSpan().SequenceEqual(RandomModel.BuildModel(DemoModel.Options).ToArray()), "Write it again: dotnet run samples/write-samples.cs");
        Assert.True(projector.AsSpan().SequenceEqual(RandomModel.BuildProjector(DemoModel.Options).ToArray()), "Write it again: dotnet run samples/write-samples.cs");
        Assert.InRange(model.Length + projector.Length, 1_000_000, 3_000_000);
    }

    [Fact]
    public void DemoModel_CommittedFiles_PassPreflight()
    {
        string folder = Path.Combine(Samples(), "demo-model");

        ModelFacts model = Preflight.CheckModel(GgufModel.Open(Path.Combine(folder, "tamx-demo-untrained.gguf")));
        ProjectorFacts projector = Preflight.CheckProjector(GgufModel.Open(Path.Combine(folder, "mmproj-tamx-demo-untrained.gguf")));

        Preflight.CheckPair(model, projector);
        Assert.Equal(32, projector.CellSize);
    }

    [Fact]
    public void SamplePicture_Committed_IsAnOrdinaryPhotoFile()
    {
        string path = Path.Combine(Samples(), "images", "table.jpg");

        RgbImage image = RgbImage.Open(path);

        Assert.Equal((SampleScene.Width, SampleScene.Height), (image.Width, image.Height));
        Assert.InRange(new FileInfo(path).Length, 10_000, 150_000);
    }

    private static string Samples([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "samples"));
}
