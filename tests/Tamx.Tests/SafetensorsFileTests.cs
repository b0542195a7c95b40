using System.Buffers.Binary;
using System.Text;
using Tamx.Testing;

namespace Tamx.Tests;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_ThenOpen_GivesEverythingBack()
    {
        var writer = new SafetensorsWriter();
        writer.AddBytes("bytes", [1, 2, 3]);
        writer.AddSingles("floats", [1.5f, float.NaN, -0f], 3, 1);
        writer.AddSingles("empty", Array.Empty<float>(), 0, 4);
        writer.AddIntegers("integers", [long.MinValue, long.MaxValue], 1, 2);
        writer.Metadata["key \"1\""] = "{\"a\": 1}\n";
        writer.Write(_folder.File("all"));

        using var file = SafetensorsFile.Open(_folder.File("all"));

        Assert.Equal([1, 2, 3], file.ReadBytes("bytes"));
        Assert.Equal([1.5f, float.NaN, -0f], file.ReadSingles("floats"));
        Assert.Equal([long.MinValue, long.MaxValue], file.ReadIntegers("integers"));
        Assert.Equal([0, 4], file.Tensors["empty"].Shape);
        Assert.Equal("{\"a\": 1}\n", file.Metadata["key \"1\""]);
        Assert.All(
            file.Tensors.Values,
            tensor => Assert.Equal(0, tensor.Offset % SafetensorsTensor.ElementBytes(tensor.DType))
        );
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Read_HalfAndBrainFloats_Widens()
    {
        byte[] data = [0x00, 0x3C, 0x01, 0x00, 0xC0, 0x3F, 0x80, 0xFF];
        Write(
            """{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}""",
            data
        );

        using var file = SafetensorsFile.Open(Path);

        Assert.Equal([1f, MathF.Pow(2, -24)], file.ReadSingles("h"));
        Assert.Equal([1.5f, float.NegativeInfinity], file.ReadSingles("b"));
    }

    [Theory]
    [InlineData("BOOL", 3, 3)]
    [InlineData("F8_E5M2", 5, 5)]
    [InlineData("U64", 2, 16)]
    [InlineData("I16", 3, 6)]
    [InlineData("C64", 1, 8)]
    [InlineData("F4", 6, 3)]
    [InlineData("F6_E2M3", 4, 3)]
    [InlineData("Other", 3, 7)]
    [InlineData("0", 1, 9)]
    public void Open_DTypeThatNothingReads_LeavesTheOthersReadable(string dtype, int count, int bytes)
    {
        Write(
            $$$"""{"x":{"dtype":"{{{dtype}}}","shape":[{{{count}}}],"data_offsets":[0,{{{bytes}}}]},"d":{"dtype":"F64","shape":[1],"data_offsets":[{{{bytes}}},{{{bytes + 8}}}]}}""",
            [.. new byte[bytes], .. BitConverter.GetBytes(-2.5)]
        );

        using var file = SafetensorsFile.Open(Path);

        Assert.Equal([-2.5f], file.ReadSingles("d"));
        Assert.Equal($"{dtype} [{count}]", file.Tensors["x"].Describe());
        Assert.Equal(count, file.Tensors["x"].ElementCount);
        Assert.Contains(
            $"x is {dtype} [{count}]",
            Assert.Throws<TraceFormatException>(() => file.ReadSingles("x")).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        12,
        "overlaps"
    )]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
        12,
        "gap"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 8, "tensor a takes the bytes 0 to 16")]
    [InlineData(
        """{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""",
        8,
        "tensor a takes"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "8 bytes of data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "takes")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}}""",
        0,
        "takes"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "-1")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "1.5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,4]}}""", 4, "1e30")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "more than 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "before its beginning")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2,4]}}""", 4, "more than 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "two data_offsets")]
    [InlineData("""{"a":{"dtype":"F31","shape":[33],"data_offsets":[0,4]}}""", 4, "F31 [33], 33 elements")]
    [InlineData(
        """{"a":{"dtype":"X","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""",
        4,
        "do not fit the 4 bytes"
    )]
    [InlineData("""{"a":{"dtype":"X","shape":[0],"data_offsets":[0,4]}}""", 4, "do not fit the 4 bytes")]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,4]}}""", 4, "BOOL [3], which takes 3 bytes")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,4]}}""", 4, "takes 8 bytes")]
    [InlineData("""{"a":{"dtype":"F4","shape":[7],"data_offsets":[0,3]}}""", 3, "takes 4 bytes")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "String is needed")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "needs dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "property x")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        4,
        "listed twice"
    )]
    [InlineData("""{"a":[]}""", 0, "StartObject")]
    [InlineData("""[]""", 0, "StartObject")]
    [InlineData("""{"a":{"b":{"c":{"d":{"e":1}}}}}""", 0, "property b")]
    [InlineData("""{"a":[[[[[[[[[[1]]]]]]]]]]}""", 0, "StartObject")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "lists a twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "JSON")]
    [InlineData("""{} {}""", 0, "JSON")]
    [InlineData("", 0, "JSON")]
    [InlineData("{\"line\u0001\n\":1}", 0, "JSON")]
    public void Open_DamagedHeader_ThrowsOneLineNamingTheFault(string header, int dataBytes, string message)
    {
        Write(header, new byte[dataBytes]);

        var exception = Assert.Throws<TraceFormatException>(() => SafetensorsFile.Open(Path));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.StartsWith(Path, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Theory]
    [InlineData(new byte[0], "0 bytes")]
    [InlineData(new byte[] { 1, 2, 3 }, "3 bytes")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255 }, "18446744073709551615")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 128 }, "9223372036854775808")]
    [InlineData(new byte[] { 100, 0, 0, 0, 0, 0, 0, 0, 123, 125 }, "only 2 follow")]
    public void Open_BadHeaderLength_Throws(byte[] content, string message)
    {
        File.WriteAllBytes(Path, content);

        Assert.Contains(
            message,
            Assert.Throws<TraceFormatException>(() => SafetensorsFile.Open(Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_TruncatedAnywhere_Throws()
    {
        var whole = File.ReadAllBytes(
            System.IO.Path.Combine(
                AppContext.BaseDirectory,
                "fixtures",
                "tamx",
                "encode_batched_layout",
                "input.safetensors"
            )
        );
        for (var length = 0; length < whole.Length; length += 977)
        {
            File.WriteAllBytes(Path, whole[..length]);
            Assert.Throws<TraceFormatException>(() => SafetensorsFile.Open(Path));
        }
    }

    [Fact]
    public void Open_MissingFile_SaysSo() =>
        Assert.Contains(
            "no such file",
            Assert.Throws<TraceFormatException>(() => SafetensorsFile.Open(_folder.File("none/at/all"))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Read_WrongType_Throws()
    {
        Write(
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"i":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}}""",
            new byte[8]
        );
        using var file = SafetensorsFile.Open(Path);

        Assert.Contains(
            "F32 [1]",
            Assert.Throws<TraceFormatException>(() => file.ReadIntegers("a")).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<TraceFormatException>(() => file.ReadBytes("a"));
        Assert.Throws<TraceFormatException>(() => file.ReadSingles("i"));
        Assert.Contains(
            "b is missing",
            Assert.Throws<TraceFormatException>(() => file.ReadSingles("b")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Write_ThatFails_LeavesNoFile()
    {
        Directory.CreateDirectory(_folder.File("taken"));
        var writer = new SafetensorsWriter();
        writer.AddSingles("a", [1f]);

        Assert.ThrowsAny<IOException>(() => writer.Write(_folder.File("taken")));
        Assert.ThrowsAny<IOException>(() => writer.Write(_folder.File("none/file")));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Add_ShapeThatDoesNotFit_Throws()
    {
        var writer = new SafetensorsWriter();
        writer.AddSingles("a", [1f, 2f], 2, 1);

        Assert.Throws<ArgumentException>(() => writer.AddSingles("b", [1f, 2f], 3));
        Assert.Throws<ArgumentException>(() => writer.AddSingles("a", [1f]));
    }

    private string Path => _folder.File("file.safetensors");

    private void Write(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var content = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(content, json.Length);
        json.CopyTo(content, 8);
        data.CopyTo(content, 8 + json.Length);
        File.WriteAllBytes(Path, content);
    }
}
