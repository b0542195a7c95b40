using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

public sealed class GgufModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tamx-split-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_SingleFile_IsTheOnePartCase()
    {
        var model = GgufModel.Open(TestModels.Qwen3Vl.ModelPath);

        Assert.Single(model.Files);
        Assert.Equal(TestModels.Qwen3Vl.ModelPath, model.FindTensor("output_norm.weight")!.FilePath);
        Assert.Equal(new FileInfo(model.Path).Length, model.ByteCount);
    }

    [Fact]
    public void Open_SplitModel_SaysWhichFileHoldsATensor()
    {
        var first = WritePart(0, 3, "a");
        WritePart(1, 3, "b");
        var last = WritePart(2, 3, "c");

        var model = GgufModel.Open(first);

        Assert.Equal(3, model.Files.Count);
        Assert.Equal(3, model.Tensors.Count);
        Assert.Equal(first, model.FindTensor("a")!.FilePath);
        Assert.Equal(last, model.FindTensor("c")!.FilePath);
        Assert.Equal("part 0", model.Metadata.FindString("general.name"));
    }

    [Fact]
    public void Open_PartMissing_NamesIt()
    {
        var first = WritePart(0, 2, "a");

        Assert.Contains(
            "m-00002-of-00002.gguf: no such file",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(first)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_LaterPart_NamesTheFirst()
    {
        WritePart(0, 2, "a");
        var second = WritePart(1, 2, "b");

        Assert.Contains(
            "name m-00001-of-00002.gguf instead",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(second)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_PartOfAnotherSplit_IsAnError()
    {
        var first = WritePart(0, 2, "a");
        File.Copy(first, Path.Combine(_folder, "m-00002-of-00002.gguf"));

        Assert.Contains(
            "key split.no is 0; this part must have 1",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(first)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_TensorInTwoParts_IsAnError()
    {
        var first = WritePart(0, 2, "a");
        WritePart(1, 2, "a");

        Assert.Contains(
            "tensor 'a'",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(first)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_SplitKeyOfAnotherType_IsNamed()
    {
        // gguf.cpp asserts it and ends the process.
        var first = WritePart(0, 2, "a");
        var second = WritePart(1, 2, "b");
        var writer = new GgufWriter();
        writer.Add("split.no", 1u);
        writer.Add("split.count", (ushort)2);
        writer.AddZeros("b", 4);
        writer.Save(second);

        Assert.Contains(
            "key split.no is of type U32; it must be of type U16",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(first)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_SplitWithAnotherNumberOfTensors_IsAnError()
    {
        var first = WritePart(0, 2, "a", tensorCount: 3);
        WritePart(1, 2, "b");

        Assert.Contains(
            "key split.tensors.count is 3; the parts have 2",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(first)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_SplitFileRenamed_SaysHowItMustBeNamed()
    {
        var renamed = Path.Combine(_folder, "model.gguf");
        File.Move(WritePart(0, 2, "a"), renamed);

        Assert.Contains(
            "NAME-00001-of-00002.gguf",
            Assert.Throws<ModelFormatException>(() => GgufModel.Open(renamed)).Message,
            StringComparison.Ordinal
        );
    }

    private string WritePart(ushort index, ushort count, string tensor, int? tensorCount = null)
    {
        var writer = new GgufWriter();
        writer.Add("general.name", $"part {index}");
        writer.Add("split.no", index);
        writer.Add("split.count", count);
        writer.Add("split.tensors.count", tensorCount ?? count);
        writer.AddZeros(tensor, 4);
        var path = Path.Combine(_folder, $"m-{index + 1:D5}-of-{count:D5}.gguf");
        writer.Save(path);
        return path;
    }
}
