using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Tamx.Testing;

/// <summary>A tensor of a .safetensors file that other programs write: of any type, in any order.</summary>
public sealed record TensorPart(string Name, string DType, int[] Shape, byte[] Bytes)
{
    public static TensorPart Integers(string name, int[] values, params int[] shape) =>
        new(name, "I64", shape, MemoryMarshal.AsBytes<long>(Array.ConvertAll(values, value => (long)value)).ToArray());

    public static TensorPart Singles(string name, float[] values, params int[] shape) =>
        new(name, "F32", shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public static TensorPart BFloats(string name, float[] values, params int[] shape) =>
        new(name, "BF16", shape, MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, UpperHalf)).ToArray());

    public static TensorPart Halves(string name, float[] values, params int[] shape) =>
        new(name, "F16", shape, MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray());

    /// <summary>Floats of a type by its name.</summary>
    public static TensorPart Floats(string dtype, string name, float[] values, params int[] shape) =>
        dtype switch
        {
            "F32" => Singles(name, values, shape),
            "F16" => Halves(name, values, shape),
            _ => BFloats(name, values, shape),
        };

    /// <summary>Bfloat16 is the upper half of a float32.</summary>
    public static float Rounded(float value) =>
        BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);

    public static void Write(string path, params TensorPart[] parts)
    {
        var header = new Dictionary<string, object>();
        var offset = 0;
        foreach (var (name, dtype, shape, bytes) in parts)
        {
            header[name] = new
            {
                dtype,
                shape,
                data_offsets = (int[])[offset, offset += bytes.Length],
            };
        }

        var json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        File.WriteAllBytes(
            path,
            [.. BitConverter.GetBytes((long)json.Length), .. json, .. parts.SelectMany(part => part.Bytes)]
        );
    }

    private static ushort UpperHalf(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
}
