using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Generator;

public class RandomModelTests
{
    public static TheoryData<string> Models =>
        ["Qwen3Vl", "Qwen3VlF16", "Qwen3VlUntied", "Qwen3VlDeepstack", "Qwen25Vl", "Qwen2Vl", "LargeVocabulary"];

    [Theory]
    [MemberData(nameof(Models))]
    public void TestModels_Each_PassesPreflight(string name)
    {
        var files = (ModelFiles)typeof(TestModels).GetProperty(name)!.GetValue(null)!;

        var model = Preflight.CheckModel(GgufModel.Open(files.ModelPath));
        var projector = Preflight.CheckProjector(GgufModel.Open(files.ProjectorPath));

        Preflight.CheckPair(model, projector);
        Assert.Equal(name == "LargeVocabulary" ? 151936 : new WordVocabulary().Tokens.Count, model.VocabularySize);
        Assert.Equal(name is "Qwen25Vl" or "Qwen2Vl" ? 28 : 32, projector.CellSize);
    }

    [Fact]
    public void Build_SameOptions_SameBytes()
    {
        var options = new RandomModelOptions() { LayerCount = 1, VisionLayerCount = 1 };

        Assert.Equal(RandomModel.BuildModel(options).ToArray(), RandomModel.BuildModel(options).ToArray());
        Assert.NotEqual(
            RandomModel.BuildModel(options).ToArray(),
            RandomModel.BuildModel(options with { Seed = 2 }).ToArray()
        );
    }

    [Fact]
    public void Build_Untied_KeepsTheOtherWeights()
    {
        var options = new RandomModelOptions() { LayerCount = 1 };

        var tied = TensorBytes(RandomModel.BuildModel(options).ToArray(), "blk.0.ffn_down.weight");
        var untied = TensorBytes(
            RandomModel.BuildModel(options with { IsTied = false }).ToArray(),
            "blk.0.ffn_down.weight"
        );

        Assert.Equal(tied, untied);
    }

    [Fact]
    public void Build_DefaultSizes_SuitKQuants()
    {
        var file = GgufFile.Open(TestModels.Qwen3VlUntied.ModelPath);

        Assert.All(
            file.Tensors.Where(tensor => tensor.Shape.Count == 2),
            tensor => Assert.Equal(0, tensor.Shape[0] % 256)
        );
    }

    private static byte[] TensorBytes(byte[] file, string name)
    {
        var tensor = GgufFile.Read("model", new MemoryStream(file), file.Length).FindTensor(name)!;
        return file.AsSpan((int)tensor.Offset, (int)tensor.ByteCount).ToArray();
    }
}
