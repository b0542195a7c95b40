using System.Runtime.CompilerServices;
using Tamx.Llama.Gguf;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Generator;

public class SamplesTests
{
    [Theory]
    [InlineData("grounded")]
    [InlineData("aligned")]
    public void DemoModel_CommittedFiles_PassPreflight(string checkpoint)
    {
        var folder = Path.Combine(Samples(), "demo-model");

        var model = Preflight.CheckModel(GgufModel.Open(Path.Combine(folder, $"tamx-demo-{checkpoint}-f16.gguf")));
        var projector = Preflight.CheckProjector(
            GgufModel.Open(Path.Combine(folder, $"mmproj-tamx-demo-{checkpoint}-f16.gguf"))
        );

        Preflight.CheckPair(model, projector);
        Assert.Equal(32, projector.CellSize);
    }

    [Fact]
    public void SamplePicture_Committed_IsAnOrdinaryPhotoFile()
    {
        var path = Path.Combine(Samples(), "images", "table.jpg");

        var image = RgbImage.Open(path);

        Assert.Equal((SampleScene.Width, SampleScene.Height), (image.Width, image.Height));
        Assert.InRange(new FileInfo(path).Length, 10_000, 150_000);
    }

    private static string Samples([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "samples"));
}
