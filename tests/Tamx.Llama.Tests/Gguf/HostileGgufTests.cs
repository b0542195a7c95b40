using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

/// <summary>Damaged and hostile files: each ends in one line that names the file and what is wrong.</summary>
public class HostileGgufTests
{
    /// <summary>Key, text length, array count and so on that claim more than there can be.</summary>
    public static TheoryData<string, string> BadFiles =>
        new()
        {
            { "empty", "is empty" },
            { "magic", "is no GGUF file" },
            { "version 1", "version 1" },
            { "version 4", "version 4" },
            { "version 0", "version 0" },
            { "big endian", "big-endian" },
            { "2^60 keys", "1152921504606846976 keys are declared" },
            { "2^63 tensors", "9223372036854775808 tensors are declared" },
            { "many keys", "at most 16384" },
            { "empty key", "key 0 is 0 bytes" },
            { "long key", "key 0 is 70000 bytes" },
            { "key length", "key 0 claims 18446744073709551615 bytes" },
            { "key utf-8", "key 0 is not valid UTF-8" },
            { "key twice", "key 'a' occurs twice" },
            { "text length", "key 'a' claims 9223372036854775807 bytes" },
            { "value type", "unknown value type 13" },
            { "nested array", "array of arrays" },
            { "array count", "elements of key 'a'" },
            { "array of texts count", "elements of key 'a'" },
            { "array element type", "unknown value type 99" },
            { "alignment 0", "general.alignment is 0" },
            { "alignment 16", "general.alignment is 16; it must be a power of two from 32" },
            { "alignment 48", "general.alignment is 48" },
            { "alignment 2^31", "general.alignment is 2147483648" },
            { "alignment text", "general.alignment is Text" },
            { "0 dimensions", "tensor 't' has 0 dimensions" },
            { "5 dimensions", "tensor 't' has 5 dimensions" },
            { "size 0", "tensor 't' has the size 0" },
            { "size 2^63", "tensor 't' has the size 9223372036854775808" },
            { "exabyte", "tensor 't' needs 1152921504606846976 bytes more" },
            { "shape overflow", "larger than any file" },
            { "byte overflow", "larger than any file" },
            { "tensor type", "unknown type 4" },
            { "row size", "rows of 100 elements; type Q8_0 needs a multiple of 32" },
            { "tensor twice", "tensor 't' occurs twice" },
            { "tensor name", "name that llama.cpp cannot hold" },
            { "misaligned", "tensor 'u' starts at offset 33" },
            { "overlapping", "tensor 'u' starts at offset 0" },
            { "gap", "tensor 'u' starts at offset 64" },
            { "offset 2^63", "starts at offset 9223372036854775808" },
            { "data cut", "tensor 't' needs 1 bytes more" },
        };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void Open_BadFile_NamesFileAndFault(string fault, string message)
    {
        var exception = Assert.Throws<ModelFormatException>(() => Make(fault).Read());

        Assert.StartsWith("test.gguf: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void Open_KeyWithLineBreaks_StaysOneLine()
    {
        var bytes = GgufBytes
            .Head(keyCount: 2)
            .Text("a\nb\u2028\ud83d\ude00")
            .Type(GgufValueType.Bool)
            .U8(1)
            .Text("a\nb\u2028\ud83d\ude00")
            .Type(GgufValueType.Bool)
            .U8(1);

        var message = Assert.Throws<ModelFormatException>(bytes.Read).Message;

        Assert.Equal("test.gguf: key 'a b \U0001F600' occurs twice", message);
    }

    [Fact]
    public void Open_TruncatedAnywhereInItsHead_IsAnError()
    {
        var whole = TinyFile();
        var dataStart = GgufBytes.Read(whole).Tensors[0].Offset;
        for (var length = 0; length < dataStart; length++)
        {
            Assert.Throws<ModelFormatException>(() => GgufBytes.Read(whole[..length]));
        }
    }

    [Fact]
    public void Open_ModelTruncatedAtTwentyPlaces_IsAnError()
    {
        var whole = File.ReadAllBytes(TestModels.Qwen3VlF16.ModelPath);
        for (var i = 0; i < 20; i++)
        {
            var length = (int)((long)whole.Length * i / 20);
            var message = Assert.Throws<ModelFormatException>(() => GgufBytes.Read(whole[..length])).Message;
            Assert.StartsWith("test.gguf: ", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_MutatedFile_IsReadOrRefused()
    {
        var whole = TinyFile();
        var random = new Random(7);
        var refused = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        const int Rounds = 4000;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = (byte[])whole.Clone();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                // Any byte, or eight in a row as a huge or small number: lengths, counts, sizes and offsets are what
                // matters.
                var at = random.Next(bytes.Length - 8);
                switch (random.Next(4))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 2:
                        BitConverter.TryWriteBytes(bytes.AsSpan(at), 1UL << random.Next(64));
                        break;
                    default:
                        BitConverter.TryWriteBytes(bytes.AsSpan(at), (ulong)-random.Next(1, 100));
                        break;
                }
            }

            // Anything but success or this exception fails the test.
            try
            {
                ReadEverything(GgufBytes.Read(bytes).Metadata);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 4, Rounds - 1);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Rounds * 400_000L);
    }

    [Fact]
    public void CheckModel_MutatedModel_IsPassedOrRefused()
    {
        var whole = RandomModel.BuildModel(RandomModelOptions.Tiny).ToArray();
        var dataStart = GgufBytes.Read(whole).Tensors[0].Offset;
        var random = new Random(11);
        var refused = 0;
        const int Rounds = 600;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = (byte[])whole.Clone();

            // The keys at the start and the tensor table at the end of the head; the vocabulary between them is long
            // and dull.
            var at = random.Next(2) == 0 ? random.Next(1200) : (int)dataStart - 1 - random.Next(1500);
            bytes[at] = (byte)random.Next(256);
            try
            {
                Preflight.CheckModel(GgufModel.Of(GgufBytes.Read(bytes)));
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 2, Rounds - 1);
    }

    private static void ReadEverything(GgufMetadata metadata)
    {
        foreach (var key in metadata.Keys)
        {
            var isArray = metadata.TypeOf(key) == GgufValueType.Array;
            switch (metadata.ElementTypeOf(key))
            {
                case GgufValueType.Text:
                    _ = isArray ? metadata.FindStrings(key) : [metadata.GetString(key)];
                    break;
                case GgufValueType.Bool:
                    _ = isArray ? false : metadata.FindBool(key);
                    break;
                case GgufValueType.F32 or GgufValueType.F64:
                    _ = isArray ? metadata.FindFloats(key) : [metadata.GetFloat(key)];
                    break;
                default:
                    _ = isArray ? metadata.FindIntegers(key) : [metadata.GetInteger(key)];
                    break;
            }
        }
    }

    /// <summary>All value types and two tensors in less than a kilobyte.</summary>
    private static byte[] TinyFile()
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "tiny");
        writer.Add("general.alignment", 32u);
        writer.Add("bool", true);
        writer.Add("int", -1);
        writer.Add("float", 1.5f);
        writer.Add("texts", (string[])["one", "two", "three"]);
        writer.Add("integers", (int[])[1, 2, 3, 4]);
        writer.Add("floats", (float[])[1, 2]);
        writer.AddZeros("matrix", 8, 4);
        writer.AddZeros("vector", 8);
        return writer.ToArray();
    }

    private static GgufBytes Make(string fault) =>
        fault switch
        {
            "empty" => new GgufBytes(),
            "magic" => new GgufBytes().Raw("GGML"u8).U32(3).U64(0).U64(0),
            "version 1" => GgufBytes.Head(version: 1),
            "version 4" => GgufBytes.Head(version: 4),
            "version 0" => GgufBytes.Head(version: 0),
            "big endian" => GgufBytes.Head(version: 0x03000000),
            "2^60 keys" => GgufBytes.Head(keyCount: 1UL << 60),
            "2^63 tensors" => GgufBytes.Head(tensorCount: 1UL << 63),
            "many keys" => GgufBytes.Head(keyCount: 20000).Data(400_000),
            "empty key" => OneKey().Text("").Type(GgufValueType.U8).Data(64),
            "long key" => OneKey().Text(new string('k', 70000)).Data(64),
            "key length" => OneKey().U64(ulong.MaxValue).Data(64),
            "key utf-8" => OneKey().Text([0xFF, 0xFE]).Data(64),
            "key twice" => GgufBytes
                .Head(keyCount: 2)
                .Text("a")
                .Type(GgufValueType.U8)
                .U8(1)
                .Text("a")
                .Type(GgufValueType.U8)
                .U8(2)
                .Data(64),
            "text length" => OneKey().Text("a").Type(GgufValueType.Text).U64(long.MaxValue).Data(64),
            "value type" => OneKey().Text("a").U32(13).Data(64),
            "nested array" => OneKey().Text("a").Type(GgufValueType.Array).Type(GgufValueType.Array).U64(1).Data(64),
            "array count" => OneKey()
                .Text("a")
                .Type(GgufValueType.Array)
                .Type(GgufValueType.U32)
                .U64(1UL << 61)
                .Data(64),
            "array of texts count" => OneKey()
                .Text("a")
                .Type(GgufValueType.Array)
                .Type(GgufValueType.Text)
                .U64(ulong.MaxValue)
                .Data(64),
            "array element type" => OneKey().Text("a").Type(GgufValueType.Array).U32(99).U64(1).Data(64),
            "alignment 0" => Alignment(0),
            "alignment 16" => Alignment(16),
            "alignment 48" => Alignment(48),
            "alignment 2^31" => Alignment(1U << 31),
            "alignment text" => OneKey().Text("general.alignment").Type(GgufValueType.Text).Text("32").Data(64),
            "0 dimensions" => OneTensor().Tensor("t", 0, 0).Data(64),
            "5 dimensions" => OneTensor().Tensor("t", 0, 0, 1, 1, 1, 1, 1).Data(64),
            "size 0" => OneTensor().Tensor("t", 0, 0, 4, 0).Data(64),
            "size 2^63" => OneTensor().Tensor("t", 0, 0, 1UL << 63).Data(64),
            "exabyte" => OneTensor().Tensor("t", 24, 0, 1UL << 60).Data(0),
            "shape overflow" => OneTensor().Tensor("t", 0, 0, 1UL << 32, 1UL << 32).Data(64),
            "byte overflow" => OneTensor().Tensor("t", 28, 0, 1UL << 61).Data(64),
            "tensor type" => OneTensor().Tensor("t", 4, 0, 4).Data(64),
            "row size" => OneTensor().Tensor("t", 8, 0, 100).Data(256),
            "tensor twice" => TwoTensors().Tensor("t", 0, 32, 4).Data(64),
            "tensor name" => OneTensor().Tensor(new string('n', 64), 0, 0, 4).Data(64),
            "misaligned" => TwoTensors().Tensor("u", 0, 33, 4).Data(128),
            "overlapping" => TwoTensors().Tensor("u", 0, 0, 4).Data(128),
            "gap" => TwoTensors().Tensor("u", 0, 64, 4).Data(128),
            "offset 2^63" => OneTensor().Tensor("t", 0, 1UL << 63, 4).Data(64),
            "data cut" => OneTensor().Tensor("t", 0, 0, 4).Data(15),
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
        };

    private static GgufBytes OneKey() => GgufBytes.Head(keyCount: 1);

    private static GgufBytes OneTensor() => GgufBytes.Head(tensorCount: 1);

    private static GgufBytes TwoTensors() => GgufBytes.Head(tensorCount: 2).Tensor("t", 0, 0, 4);

    private static GgufBytes Alignment(uint value) =>
        OneKey().Text("general.alignment").Type(GgufValueType.U32).U32(value).Data(64);
}
