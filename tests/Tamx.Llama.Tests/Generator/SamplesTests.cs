using System.Runtime.CompilerServices;
using Tamx.Llama.Gguf;
using Tamx.Llama.Imaging;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Generator;

public class SamplesTests
{
    [Theory]
    [InlineData("grounded")]
    [InlineData("aligned")]
    public void DemoModel_CommittedFiles_PassPreflight(string checkpoint)
    {
        string folder = Path.Combine(Samples(), "demo-model");

        ModelFacts model = Preflight.CheckModel(GgufModel.Open(Path.Combine(folder, $"tamx-demo-{checkpoint}-f16.gguf")));
        ProjectorFacts projector = Preflight.CheckProjector(GgufModel.Open(Path.Combine(folder, $"mmproj-tamx-demo-{checkpoint}-f16.gguf")));

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
