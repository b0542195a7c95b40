using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>
/// Does to a model or an mmproj what converters, editors and attackers do: each fault is well formed, so that the
/// reader takes it.
/// </summary>
internal sealed class FileDamage(GgufWriter file, Random random, string architecture)
{
    private const string TokensKey = "tokenizer.ggml.tokens";

    /// <summary>Numbers at which something ends.</summary>
    private static readonly long[] Numbers =
    [
        0,
        1,
        2,
        3,
        4,
        5,
        7,
        8,
        15,
        16,
        17,
        31,
        32,
        33,
        64,
        100,
        127,
        128,
        255,
        256,
        511,
        512,
        513,
        1023,
        1024,
        4096,
        8192,
        16384,
        32768,
        65535,
        65536,
        100_000,
        151_936,
        1 << 20,
        1 << 24,
        1 << 28,
        1 << 30,
        int.MaxValue,
        1L << 31,
        uint.MaxValue,
        -1,
        -2,
        -32768,
        int.MinValue,
        long.MinValue,
        long.MaxValue,
    ];

    private static readonly double[] Floats =
    [
        0,
        1,
        -1,
        0.5,
        1e-6,
        1e-30,
        1e-45,
        1e30,
        -1e30,
        2,
        4,
        10_000,
        1_000_000,
        5_000_000,
        double.NaN,
        double.PositiveInfinity,
        double.NegativeInfinity,
    ];

    private static readonly string[] Texts =
    [
        "",
        " ",
        "a",
        "\0",
        "qwen2",
        "qwen35",
        "default",
        "llama-bpe",
        "gpt-2",
        "gpt2",
        "llama",
        "bert",
        "t5",
        "rwkv",
        "no_vocab",
        "gemma4",
        "deepseek-r1-qwen",
        "megrez",
        "stablelm2",
        "smollm",
        "falcon",
        "tekken",
        "viking",
        "jina-v2-de",
        "phi-3 model",
        "modern-bert",
        "clip",
        "qwen2vl",
        "qwen3vl",
        "none",
        "linear",
        "yarn",
        "longrope",
        "qwen3vl_merger",
        "qwen2.5vl_merger",
        "qwen2vl_merger",
        "mlp",
        "gemma3",
        "spatial_unpad",
        "{{ broken",
        "{% for x in %}",
        "%s%n%d",
        "\u00E4\u4E2D\U0001F600",
        "line\nbreak",
    ];

    private static readonly GgufValueType[] SingleTypes =
    [
        .. Enum.GetValues<GgufValueType>().Where(type => type != GgufValueType.Array),
    ];

    private static readonly TensorType[] Types =
    [
        .. Enumerable.Range(0, 64).Select(id => TensorType.Find((uint)id)).OfType<TensorType>(),
    ];

    private readonly List<string> _done = [];

    /// <summary>The damaged file.</summary>
    public GgufWriter File => file;

    /// <summary>What was done to it.</summary>
    public IReadOnlyList<string> Done => _done;

    /// <summary>Bytes to cut off at its end.</summary>
    public long CutBytes { get; private set; }

    private bool IsModel => file.Keys.Contains(TokensKey);

    /// <summary>Does one thing more to it.</summary>
    public void Apply()
    {
        switch (random.Next(IsModel ? 24 : 18))
        {
            case 0:
                DropKey();
                break;
            case 1:
                RetypeKey();
                break;
            case <= 4:
                ChangeKey();
                break;
            case 5:
                ResizeKey();
                break;
            case <= 8:
                AddKey();
                break;
            case 9:
                DropTensor();
                break;
            case 10:
                RenameTensor();
                break;
            case <= 12:
                RetypeTensor();
                break;
            case 13:
                ReshapeTensor();
                break;
            case <= 15:
                AddTensor();
                break;
            case 16:
                SpoilTensor();
                break;
            case 17:
                CutOrMove();
                break;
            case <= 20:
                ChangeTokens();
                break;
            case 21:
                ChangeMerges();
                break;
            case 22:
                ChangeTokenTypes();
                break;
            default:
                ChangeTokenIds();
                break;
        }
    }

    /// <summary>Stores all matrices, or those of one kind, in another type.</summary>
    public void StoreMatricesAs()
    {
        var type = Pick(Types);
        var part = Pick(["", "attn", "ffn", "token_embd", "output", "mm.", "patch_embd"]);
        for (var i = 0; i < file.Tensors.Count; i++)
        {
            (var name, _, var shape, _) = file.Tensors[i];
            if (
                shape.Length >= 2
                && shape[0] % type.BlockElements == 0
                && name.Contains(part, StringComparison.Ordinal)
                && name != "v.position_embd.weight"
            )
            {
                file.ReplaceTensor(i, name, type, shape, Data(type, shape));
            }
        }

        _done.Add($"matrices '{part}' as {type}");
    }

    private void DropKey()
    {
        var key = PickKey();
        file.Remove(key);
        _done.Add($"{key} dropped");
    }

    private void RetypeKey()
    {
        var key = PickKey();
        var value = file.TypedValueOf(key);
        var type = TypeAt(value, 0);
        if (type == GgufValueType.Array)
        {
            // The elements' bytes stay, as another type of the same size; else there would be too few.
            var element = TypeAt(value, 4);
            var size = GgufValue.SizeOf(element);
            GgufValueType[] alike =
            [
                .. SingleTypes.Where(other => other != element && GgufValue.SizeOf(other) == size),
            ];
            if (alike.Length > 0)
            {
                byte[] changed = [.. value];
                var other = Pick(alike);
                BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(4), (uint)other);
                file.AddTyped(key, changed);
                _done.Add($"{key} as an array of {other}");
            }

            return;
        }

        var wanted = Pick(SingleTypes);
        double number = type switch
        {
            GgufValueType.Text => 1,
            GgufValueType.F32 => BinaryPrimitives.ReadSingleLittleEndian(value.AsSpan(4)),
            GgufValueType.Bool => value[4],
            _ => BinaryPrimitives.ReadUInt64LittleEndian([.. value.AsSpan(4), .. new byte[8]]),
        };
        file.AddTyped(key, Single(wanted, number, "text"));
        _done.Add($"{key} as {wanted}");
    }

    private void ChangeKey()
    {
        var key = PickKey();
        var value = file.TypedValueOf(key);
        var type = TypeAt(value, 0);
        if (type != GgufValueType.Array)
        {
            file.AddTyped(key, Single(type, PickNumber(type), Pick(Texts)));
            _done.Add($"{key} {Shown(key)}");
            return;
        }

        var element = TypeAt(value, 4);
        var size = GgufValue.SizeOf(element);
        if (size > 0 && value.Length > 16)
        {
            byte[] changed = [.. value];
            var at = 16 + (random.Next((value.Length - 16) / size) * size);
            var number = PickNumber(element);
            Single(element, number, "").AsSpan(4).CopyTo(changed.AsSpan(at));
            file.AddTyped(key, changed);
            _done.Add(string.Create(CultureInfo.InvariantCulture, $"{key} element {(at - 16) / size} = {number}"));
        }
    }

    /// <summary>An array of another length, or a single value as an array.</summary>
    private void ResizeKey()
    {
        var key = PickKey();
        var value = file.TypedValueOf(key);
        var type = TypeAt(value, 0);
        var element = type == GgufValueType.Array ? TypeAt(value, 4) : type;
        var size = GgufValue.SizeOf(element);
        if (element == GgufValueType.Text)
        {
            string[] texts = [.. Enumerable.Range(0, random.Next(4)).Select(i => $"text {i}")];
            file.Add(key, texts);
            _done.Add($"{key} as {texts.Length} texts");
            return;
        }

        var elements = type == GgufValueType.Array ? value[16..] : value[4..];
        var before = elements.Length / size;
        var count = Pick([0, 1, 2, 3, 4, 5, before - 1, before + 1, before * 2]);
        var resized = new byte[Math.Max(0, count) * size];
        for (var i = 0; i < resized.Length; i++)
        {
            resized[i] = elements.Length == 0 ? (byte)0 : elements[i % elements.Length];
        }

        file.AddTyped(key, [.. ArrayHead(element, resized.Length / size), .. resized]);
        _done.Add($"{key} as {resized.Length / size} x {element}");
    }

    private void AddKey()
    {
        var key = Pick(IsModel ? KnownNames.ModelKeys : KnownNames.ProjectorKeys);
        key = key.StartsWith("A.", StringComparison.Ordinal) ? architecture + key[1..] : key;

        // U32 and F32 mostly, as llama.cpp takes them.
        var type = random.Next(4) switch
        {
            0 or 1 => GgufValueType.U32,
            2 => Pick([GgufValueType.F32, GgufValueType.Bool, GgufValueType.Text]),
            _ => Pick(SingleTypes),
        };
        if (random.Next(4) > 0)
        {
            file.AddTyped(key, Single(type, PickNumber(type), Pick(Texts)));
            _done.Add($"{key} {Shown(key)} added");
            return;
        }

        var count = random.Next(6);
        List<byte> value = [.. ArrayHead(type, count)];
        for (var i = 0; i < count; i++)
        {
            value.AddRange(Single(type, PickNumber(type), Pick(Texts)).AsSpan(4));
        }

        file.AddTyped(key, [.. value]);
        _done.Add($"{key} added as {count} x {type}");
    }

    private void DropTensor()
    {
        var name = file.Tensors[random.Next(file.Tensors.Count)].Name;
        file.RemoveTensor(name);
        _done.Add($"{name} dropped");
    }

    private void RenameTensor()
    {
        var index = random.Next(file.Tensors.Count);
        (var name, var type, var shape, var data) = file.Tensors[index];
        var other = random.Next(2) == 0 ? PickTensorName() : file.Tensors[random.Next(file.Tensors.Count)].Name;
        if (!file.TensorNames.Contains(other))
        {
            file.ReplaceTensor(index, other, type, shape, data);
        }
        else
        {
            // Two tensors change places.
            var second = file.Tensors.ToList().FindIndex(tensor => tensor.Name == other);
            (_, var secondType, var secondShape, var secondData) = file.Tensors[second];
            file.ReplaceTensor(index, other, type, shape, data);
            file.ReplaceTensor(second, name, secondType, secondShape, secondData);
        }

        _done.Add($"{name} named {other}");
    }

    private void RetypeTensor()
    {
        var index = random.Next(file.Tensors.Count);
        (var name, _, var shape, _) = file.Tensors[index];
        TensorType[] fitting = [.. Types.Where(type => shape[0] % type.BlockElements == 0)];
        var other = Pick(fitting);
        file.ReplaceTensor(index, name, other, shape, Data(other, shape));
        _done.Add($"{name} as {other}");
    }

    private void ReshapeTensor()
    {
        var index = random.Next(file.Tensors.Count);
        (var name, _, var old, _) = file.Tensors[index];
        long[] shape = random.Next(5) switch
        {
            0 => [.. old.Reverse()],
            1 => [.. old.Take(3), .. (long[])[1]],
            2 => [.. old.Take(old.Length - 1), .. (long[])[old[^1] + 1]],
            3 => [.. old.Take(old.Length - 1), .. (long[])[Math.Max(1, old[^1] - 1)]],
            _ => [old.Aggregate(1L, (product, size) => product * size)],
        };
        file.ReplaceTensor(index, name, TensorType.F32, shape, Data(TensorType.F32, shape));
        _done.Add($"{name} as F32 [{string.Join(", ", shape)}]");
    }

    private void AddTensor()
    {
        var name = PickTensorName();
        if (file.TensorNames.Contains(name))
        {
            return;
        }

        // The shape of a tensor that is there fits more often than not.
        var shape = random.Next(3) == 0 ? [1] : file.Tensors[random.Next(file.Tensors.Count)].Shape;
        TensorType[] fitting = [.. Types.Where(other => shape[0] % other.BlockElements == 0)];
        var type = random.Next(2) == 0 ? TensorType.F32 : Pick(fitting);
        file.AddTensor(name, type, shape, Data(type, shape));
        _done.Add($"{name} added as {type} [{string.Join(", ", shape)}]");
    }

    /// <summary>Numbers that are none, or noise.</summary>
    private void SpoilTensor()
    {
        var index = random.Next(file.Tensors.Count);
        (var name, var type, var shape, var old) = file.Tensors[index];
        byte[] data = [.. old];
        if (random.Next(2) == 0)
        {
            random.NextBytes(data);
        }
        else
        {
            data.AsSpan().Fill(0xFF);
        }

        file.ReplaceTensor(index, name, type, shape, data);
        _done.Add($"{name} of {(data[0] == 0xFF ? "no numbers" : "noise")}");
    }

    private void CutOrMove()
    {
        if (random.Next(2) == 0)
        {
            CutBytes = random.Next(1, 5000);
            _done.Add($"{CutBytes} bytes cut off");
            return;
        }

        var alignment = 1u << random.Next(12);
        file.Add("general.alignment", alignment);
        _done.Add($"general.alignment {alignment}");
    }

    /// <summary>Tokens that are empty, no UTF-8, very long, hold zeros, or are missing.</summary>
    private void ChangeTokens()
    {
        byte[][] tokens = [.. new WordVocabulary().Tokens.Select(Encoding.UTF8.GetBytes)];
        var count = random.Next(3) switch
        {
            0 => 1,
            1 => random.Next(2, 20),
            _ => 300,
        };
        var what = Pick(["empty", "no UTF-8", "long", "zero bytes", "spaces", "byte names", "other"]);
        for (var i = 0; i < count; i++)
        {
            var id = count == 300 && i < 256 ? i : random.Next(tokens.Length);
            var suffix = id.ToString(CultureInfo.InvariantCulture);
            tokens[id] = what switch
            {
                "empty" => [],
                "no UTF-8" => [0xFF, .. BitConverter.GetBytes(i), 0xC3],
                "long" => Encoding.UTF8.GetBytes(new string('a', random.Next(1, 40_000)) + suffix),
                "zero bytes" => [(byte)'z', .. Encoding.UTF8.GetBytes(suffix), 0, (byte)'x'],
                "spaces" => Encoding.UTF8.GetBytes($" {id} \n"),
                "byte names" => Encoding.UTF8.GetBytes($"<0x{id:X2}>"),
                _ => Encoding.UTF8.GetBytes($"other {id}"),
            };
        }

        file.Add(TokensKey, tokens);
        _done.Add($"{count} tokens '{what}'");
    }

    private void ChangeMerges()
    {
        const string Key = "tokenizer.ggml.merges";
        List<byte[]> merges = [.. new WordVocabulary().Merges.Select(Encoding.UTF8.GetBytes)];
        var what = Pick(["none", "unknown tokens", "no space", "empty", "spaces", "no UTF-8", "twice", "long"]);
        switch (what)
        {
            case "none":
                merges.Clear();
                break;
            case "twice":
                merges.AddRange(merges.ToArray());
                break;
            default:
                for (var i = 0; i < 50; i++)
                {
                    merges[random.Next(merges.Count)] = what switch
                    {
                        "unknown tokens" => Encoding.UTF8.GetBytes($"unknown{i} token"),
                        "no space" => "nospace"u8.ToArray(),
                        "empty" => [],
                        "spaces" => Encoding.UTF8.GetBytes(new string(' ', random.Next(1, 5))),
                        "no UTF-8" => [0xFF, 0x20, 0xC3],
                        _ => Encoding.UTF8.GetBytes($"{new string('a', 10_000)} a"),
                    };
                }

                break;
        }

        file.Add(Key, merges);
        _done.Add($"merges '{what}'");
    }

    private void ChangeTokenTypes()
    {
        int[] types = [.. new WordVocabulary().Types];
        var type = (int)Pick([0, 1, 2, 3, 4, 5, 6, 7, -1, int.MaxValue]);
        var count = random.Next(2) == 0 ? 1 : types.Length;
        for (var i = 0; i < count; i++)
        {
            types[count == 1 ? random.Next(types.Length) : i] = type;
        }

        file.Add("tokenizer.ggml.token_type", types);
        _done.Add($"{count} token types {type}");
    }

    private void ChangeTokenIds()
    {
        var name = Pick([
            "bos",
            "eos",
            "eot",
            "eom",
            "unknown",
            "seperator",
            "padding",
            "cls",
            "mask",
            "fim_pre",
            "fim_suf",
            "fim_mid",
            "fim_pad",
            "fim_rep",
            "fim_sep",
            "prefix",
            "suffix",
            "middle",
        ]);
        var key = $"tokenizer.ggml.{name}_token_id";
        var type = Pick([GgufValueType.U32, GgufValueType.U32, GgufValueType.I32, GgufValueType.U64]);
        file.AddTyped(key, Single(type, random.Next(3) == 0 ? PickNumber(type) : random.Next(300), ""));
        _done.Add($"{key} {Shown(key)}");
        if (random.Next(2) == 0)
        {
            var add = $"tokenizer.ggml.add_{Pick(["bos", "eos", "sep"])}_token";
            file.Add(add, true);
            _done.Add($"{add} true");
        }
    }

    private string PickKey()
    {
        string[] keys = [.. file.Keys];
        return keys.Length == 0 ? "general.name" : Pick(keys);
    }

    private string PickTensorName()
    {
        var names = IsModel ? KnownNames.ModelTensors : KnownNames.ProjectorTensors;
        return Pick(names).Replace("N", $"{random.Next(3)}", StringComparison.Ordinal);
    }

    private double PickNumber(GgufValueType type) =>
        type is GgufValueType.F32 or GgufValueType.F64
            ? Floats[random.Next(Floats.Length)]
            : Numbers[random.Next(Numbers.Length)];

    private T Pick<T>(T[] values) => values[random.Next(values.Length)];

    private string Shown(string key)
    {
        var value = file.TypedValueOf(key);
        var type = TypeAt(value, 0);
        var shown =
            type == GgufValueType.Text
                ? OutsideText.Quoted(Encoding.UTF8.GetString(value.AsSpan(12)))
                : type switch
                {
                    GgufValueType.F32 => BitConverter.ToSingle(value, 4).ToString(CultureInfo.InvariantCulture),
                    GgufValueType.F64 => BitConverter.ToDouble(value, 4).ToString(CultureInfo.InvariantCulture),
                    _ => "0x" + Convert.ToHexString(value.AsSpan(4)),
                };
        return $"{type} {shown}";
    }

    /// <summary>A type and a value of it.</summary>
    private static byte[] Single(GgufValueType type, double number, string text)
    {
        byte[] value;
        if (type == GgufValueType.Text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            value = [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes];
        }
        else
        {
            value = type switch
            {
                GgufValueType.F32 => BitConverter.GetBytes((float)number),
                GgufValueType.F64 => BitConverter.GetBytes(number),
                GgufValueType.Bool => [(byte)(number != 0 ? 1 : 0)],
                _ => BitConverter.GetBytes(unchecked((long)number))[..GgufValue.SizeOf(type)],
            };
        }

        return [.. Bytes((uint)type), .. value];
    }

    private static byte[] ArrayHead(GgufValueType element, int count) =>
        [.. Bytes((uint)GgufValueType.Array), .. Bytes((uint)element), .. BitConverter.GetBytes((ulong)count)];

    private static GgufValueType TypeAt(byte[] typedValue, int at) =>
        (GgufValueType)BinaryPrimitives.ReadUInt32LittleEndian(typedValue.AsSpan(at));

    private static byte[] Bytes(uint value) => BitConverter.GetBytes(value);

    /// <summary>
    /// Small numbers in any type: with the top bits of every other byte cleared no half precision scale is large.
    /// </summary>
    private byte[] Data(TensorType type, long[] shape)
    {
        var elements = shape.Aggregate(1L, (product, size) => product * size);
        var data = new byte[elements / type.BlockElements * type.BlockBytes];
        if (type == TensorType.F32)
        {
            for (var i = 0; i < elements; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(i * 4), (float)(random.NextDouble() - 0.5));
            }

            return data;
        }

        random.NextBytes(data);
        for (var i = 1; i < data.Length; i += 2)
        {
            data[i] &= 0x3B;
        }

        return data;
    }
}
