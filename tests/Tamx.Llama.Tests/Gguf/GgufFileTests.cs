using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

public class GgufFileTests
{
    [Fact]
    public void Open_WrittenFile_GivesBackKeysAndTensors()
    {
        var writer = new GgufWriter();
        writer.Add("text", "Zürich 日本");
        writer.Add("yes", true);
        writer.Add("signed", -5);
        writer.Add("unsigned", 4_000_000_000u);
        writer.Add("real", 0.5f);
        writer.Add("texts", (string[])["", "a", "日本"]);
        writer.Add("integers", (int[])[1, -2, 3]);
        writer.Add("reals", (float[])[0.25f, -1f]);
        writer.AddTensor("first", TensorType.F32, [3], new byte[12]);
        writer.AddTensor("second", TensorType.F16, [4, 2, 3], new byte[48]);

        var bytes = writer.ToArray();
        var file = GgufBytes.Read(bytes);

        Assert.Equal(3u, file.Version);
        Assert.Equal(bytes.Length, file.ByteCount);
        Assert.Equal("Zürich 日本", file.Metadata.FindString("text"));
        Assert.True(file.Metadata.FindBool("yes"));
        Assert.Equal(-5, file.Metadata.FindInteger("signed"));
        Assert.Equal(4_000_000_000, file.Metadata.FindInteger("unsigned"));
        Assert.Equal(0.5, file.Metadata.FindFloat("real"));
        Assert.Equal(["", "a", "日本"], file.Metadata.FindStrings("texts")!);
        Assert.Equal([1L, -2, 3], file.Metadata.FindIntegers("integers")!);
        Assert.Equal([0.25, -1], file.Metadata.FindFloats("reals")!);
        Assert.Equal(3, file.Metadata.CountOf("texts"));
        Assert.Equal(GgufValueType.Text, file.Metadata.ElementTypeOf("texts"));
        Assert.Null(file.Metadata.FindString("absent"));

        var second = file.FindTensor("second")!;
        Assert.Equal([4L, 2, 3], second.Shape);
        Assert.Equal(24, second.ElementCount);
        Assert.Equal(48, second.ByteCount);
        Assert.Equal(8, second.RowBytes);
        Assert.Equal(0, second.Offset % 32);
        Assert.Equal(file.FindTensor("first")!.Offset + 32, second.Offset);
        Assert.Null(file.FindTensor("third"));
    }

    [Fact]
    public void Open_QuantizedTensor_CountsWholeBlocks()
    {
        var file = GgufBytes.Head(tensorCount: 1).Tensor("t", 12, 0, 512, 3).Data(864).Read();

        Assert.Equal(864, file.FindTensor("t")!.ByteCount);
        Assert.Equal(288, file.FindTensor("t")!.RowBytes);
        Assert.Equal("Q4_K", file.FindTensor("t")!.Type.Name);
    }

    [Fact]
    public void Open_AllIntegerWidths_AreRead()
    {
        var file = GgufBytes
            .Head(keyCount: 4, version: 2)
            .Text("u8")
            .Type(GgufValueType.U8)
            .U8(255)
            .Text("i8")
            .Type(GgufValueType.I8)
            .U8(255)
            .Text("u64")
            .Type(GgufValueType.U64)
            .U64(1UL << 62)
            .Text("f64")
            .Type(GgufValueType.F64)
            .Raw(BitConverter.GetBytes(1e300))
            .Read();

        Assert.Equal(2u, file.Version);
        Assert.Equal(255, file.Metadata.FindInteger("u8"));
        Assert.Equal(-1, file.Metadata.FindInteger("i8"));
        Assert.Equal(1L << 62, file.Metadata.FindInteger("u64"));
        Assert.Equal(1e300, file.Metadata.FindFloat("f64"));
    }

    [Fact]
    public void Metadata_WrongTypeAsked_NamesFileKeyAndType()
    {
        var writer = new GgufWriter();
        writer.Add("number", 5u);
        writer.Add("list", (int[])[1]);
        var metadata = GgufBytes.Read(writer.ToArray()).Metadata;

        Assert.Equal(
            "test.gguf: key number is U32; it must be a text",
            Assert.Throws<ModelFormatException>(() => metadata.FindString("number")).Message
        );
        Assert.Equal(
            "test.gguf: key list is an array of I32; it must be an integer",
            Assert.Throws<ModelFormatException>(() => metadata.GetInteger("list")).Message
        );
        Assert.Equal(
            "test.gguf: key absent is missing; it must hold a float",
            Assert.Throws<ModelFormatException>(() => metadata.GetFloat("absent")).Message
        );
        Assert.Throws<ModelFormatException>(() => metadata.FindStrings("list"));
        Assert.Throws<ModelFormatException>(() => metadata.FindBool("number"));
    }

    [Fact]
    public void Metadata_IntegerBeyondLong_IsAnError()
    {
        var metadata = GgufBytes
            .Head(keyCount: 1)
            .Text("big")
            .Type(GgufValueType.U64)
            .U64(ulong.MaxValue)
            .Read()
            .Metadata;

        Assert.Contains(
            "big",
            Assert.Throws<ModelFormatException>(() => metadata.FindInteger("big")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Metadata_TextThatIsNoUtf8_IsAnErrorWhenAskedFor()
    {
        var metadata = GgufBytes
            .Head(keyCount: 1)
            .Text("t")
            .Type(GgufValueType.Text)
            .Text([0xC3, 0x28])
            .Read()
            .Metadata;

        Assert.Contains(
            "key t is not valid UTF-8",
            Assert.Throws<ModelFormatException>(() => metadata.FindString("t")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_LargeVocabulary_TakesLittleMemory()
    {
        var path = TestModels.LargeVocabulary.ModelPath;
        GgufFile.Open(path);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = GgufFile.Open(path);

        Assert.Equal(151936, file.Metadata.CountOf("tokenizer.ggml.tokens"));

        // The vocabulary takes 4 MB in the file.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 24_000_000);
    }

    [Fact]
    public void Open_MissingFileOrFolder_SaysSo()
    {
        var missing = Path.Combine(TestModels.Folder, "no-such.gguf");

        Assert.Equal(
            $"{missing}: no such file",
            Assert.Throws<ModelFormatException>(() => GgufFile.Open(missing)).Message
        );
        Assert.Contains(
            "is a folder",
            Assert.Throws<ModelFormatException>(() => GgufFile.Open(TestModels.Folder)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no such file",
            Assert.Throws<ModelFormatException>(() => GgufFile.Open(Path.Combine(missing, "x.gguf"))).Message,
            StringComparison.Ordinal
        );
    }
}
