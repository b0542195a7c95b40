using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Tamx.Fuzz;

/// <summary>Damages a .safetensors file by what it is made of: header, types, shapes, offsets, values, metadata.</summary>
internal sealed class SafetensorsDamage
{
    private const string MetadataName = "__metadata__";

    private static readonly long[] Numbers =
    [
        0,
        1,
        2,
        3,
        4,
        5,
        16,
        255,
        1000,
        65536,
        1_000_000,
        int.MaxValue,
        uint.MaxValue,
        1L << 40,
        long.MaxValue,
        -1,
        long.MinValue,
    ];

    private static readonly string[] Types =
    [
        "F32",
        "F16",
        "BF16",
        "F64",
        "I32",
        "I64",
        "U8",
        "BOOL",
        "I16",
        "F8_E4M3",
        "F4",
        "Other",
        "9",
        "-1",
        "f32",
        "F32, I64",
        "",
        "\u001B[31m",
    ];

    private static readonly string[] Texts =
    [
        "",
        "null",
        "[]",
        "{}",
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
        "{\"block\":0}",
        "[{\"block\":-1,\"frame\":2147483647,\"mediaType\":\"image/png\",\"width\":1,\"height\":1}]",
        "[null]",
        "{\"turnStart\":-2147483648,\"turnEnd\":99999999999}",
        "{\"seconds\":{\"a\":1e400}}",
        "\"\\ud800\"",
        "\u001B]0;x\u0007",
        "1",
        "=cmd|' /C calc'!A0",
    ];

    private readonly Random _random;
    private readonly JsonObject _header;
    private byte[] _data;
    private int _lengthError;

    public SafetensorsDamage(byte[] file, Random random)
    {
        _random = random;
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        _header = JsonNode.Parse(file.AsSpan(8, length))!.AsObject();
        _data = file[(8 + length)..];
    }

    private string[] TensorNames => [.. _header.Select(entry => entry.Key).Where(name => name != MetadataName)];

    /// <summary>Makes it a dump as TAMX's scripts write it, without rows and texts.</summary>
    public void DropRows()
    {
        foreach (
            var name in TensorNames.Where(name =>
                name.StartsWith("lm_head", StringComparison.Ordinal)
                || name.StartsWith("tamx.token_text", StringComparison.Ordinal)
            )
        )
        {
            Remove(name);
        }
    }

    public void Apply()
    {
        if (TensorNames is not { Length: > 0 } names)
        {
            return;
        }

        var name = names[_random.Next(names.Length)];
        var tensor = _header[name] as JsonObject;
        switch (_random.Next(14))
        {
            case 0:
                Remove(name);
                break;
            case 1:
                var other = _random.Next(2) == 0 ? names[_random.Next(names.Length)] : Pick(Texts);
                if (!_header.ContainsKey(other))
                {
                    _header.Remove(name);
                    _header[other] = tensor;
                }

                break;
            case 2 when tensor is not null:
                tensor["dtype"] = Pick(Types);
                break;
            case 3 when tensor is not null && tensor["shape"] is JsonArray { Count: > 0 } shape:
                shape[_random.Next(shape.Count)] = PickNumber();
                break;
            case 4 when tensor is not null && tensor["shape"] is JsonArray shape:
                if (_random.Next(2) == 0 && shape.Count > 0)
                {
                    shape.RemoveAt(_random.Next(shape.Count));
                }
                else
                {
                    shape.Insert(_random.Next(shape.Count + 1), _random.Next(2) == 0 ? 1 : PickNumber());
                }

                break;
            case 5 when tensor is not null && tensor["data_offsets"] is JsonArray { Count: > 0 } offsets:
                offsets[_random.Next(offsets.Count)] = PickNumber();
                break;
            case 6 when tensor is not null:
                tensor[Pick(["dtype", "shape", "data_offsets", "more"])] = PickNode();
                break;
            case 7:
                _lengthError = _random.Next(-3, 4);
                break;
            case 8:
                SetMetadata();
                break;
            case 9 when _data.Length > 0:
                _data = ByteDamage.Apply(_data, _random);
                break;
            default:
                SetValues(tensor);
                break;
        }
    }

    public byte[] ToArray()
    {
        var header = Encoding.UTF8.GetBytes(_header.ToJsonString());
        var file = new byte[8 + header.Length + _data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length + _lengthError);
        header.CopyTo(file, 8);
        _data.CopyTo(file, 8 + header.Length);
        return file;
    }

    /// <summary>Removes a tensor with its data, and moves up what follows.</summary>
    private void Remove(string name)
    {
        if (Span(_header[name] as JsonObject) is { } span)
        {
            var length = span.End - span.Begin;
            foreach (var later in TensorNames.Select(other => _header[other] as JsonObject))
            {
                if (Span(later) is { } own && own.Begin >= span.End)
                {
                    later!["data_offsets"] = new JsonArray((long)(own.Begin - length), (long)(own.End - length));
                }
            }

            _data = [.. _data[..span.Begin], .. _data[span.End..]];
        }

        _header.Remove(name);
    }

    /// <summary>Overwrites elements of a tensor: ids, grids, states.</summary>
    private void SetValues(JsonObject? tensor)
    {
        if (Span(tensor) is not { } span || span.End == span.Begin)
        {
            return;
        }

        var type = tensor!["dtype"]?.ToString();
        var bytes =
            type is "I64" or "F64" ? 8
            : type is "I32" or "F32" ? 4
            : 1;
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var at = span.Begin + (_random.Next((span.End - span.Begin) / bytes) * bytes);
            var value = new byte[8];
            if (type == "F32")
            {
                BinaryPrimitives.WriteSingleLittleEndian(
                    value,
                    Pick([0, 1, -1, 1e38f, float.NaN, float.PositiveInfinity, 1e-45f])
                );
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(value, _random.Next(3) == 0 ? PickNumber() : _random.Next(50));
            }

            value.AsSpan(0, bytes).CopyTo(_data.AsSpan(at));
        }
    }

    private void SetMetadata()
    {
        if (_header[MetadataName] is not JsonObject metadata)
        {
            _header[MetadataName] = metadata = [];
        }

        var key = Pick(["tamx.markers", "tamx.run", "tamx.pictures", "tamx.format", "tamx.options", "\u001B"]);
        metadata[key] = _random.Next(8) == 0 ? PickNode() : Pick(Texts);
    }

    private (int Begin, int End)? Span(JsonObject? tensor)
    {
        try
        {
            return
                tensor is not null
                && tensor["data_offsets"] is JsonArray { Count: 2 } offsets
                && offsets[0]!.GetValue<long>() is >= 0 and var begin
                && offsets[1]!.GetValue<long>() is var end
                && begin <= end
                && end <= _data.Length
                ? ((int)begin, (int)end)
                : null;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private JsonNode? PickNode() =>
        _random.Next(5) switch
        {
            0 => null,
            1 => JsonValue.Create(PickNumber()),
            2 => JsonValue.Create(Pick(Texts)),
            3 => new JsonArray(PickNumber(), PickNumber()),
            _ => new JsonObject { ["a"] = new JsonArray() },
        };

    private long PickNumber() => Pick(Numbers);

    private T Pick<T>(T[] from) => from[_random.Next(from.Length)];
}
