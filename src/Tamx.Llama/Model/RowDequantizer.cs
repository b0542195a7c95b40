using System.Runtime.InteropServices;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>Turns values of a tensor type into 32-bit floats, as ggml does.</summary>
internal sealed unsafe class RowDequantizer
{
    private readonly TensorType _type;
    private readonly delegate* unmanaged[Cdecl]<void*, float*, long, void> _toFloat;

    private RowDequantizer(TensorType type, delegate* unmanaged[Cdecl]<void*, float*, long, void> toFloat)
    {
        _type = type;
        _toFloat = toFloat;
    }

    /// <summary>The one for a type; null if ggml cannot read it, or has it in another form.</summary>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries are missing or do not fit.</exception>
    public static RowDequantizer? For(TensorType type)
    {
        LlamaLibraries.EnsureLoaded();
        var id = (int)type.Id;
        if (
            GgmlApi.GetBlockSize(id) != type.BlockElements
            || (long)GgmlApi.GetRowBytes(id, type.BlockElements) != type.BlockBytes
        )
        {
            return null;
        }

        if (type == TensorType.F32)
        {
            return new RowDequantizer(type, null);
        }

        var traits = GgmlApi.GetTypeTraits(id);
        return traits != null && traits->BlockSize == type.BlockElements && traits->ToFloat != null
            ? new RowDequantizer(type, traits->ToFloat)
            : null;
    }

    /// <param name="source">Whole blocks.</param>
    /// <param name="destination">Room for just their values.</param>
    /// <exception cref="ArgumentException">The two do not fit each other.</exception>
    public void Dequantize(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var blockCount = destination.Length / _type.BlockElements;
        if (destination.Length % _type.BlockElements != 0 || source.Length != (long)blockCount * _type.BlockBytes)
        {
            throw new ArgumentException($"{source.Length} bytes of {_type} are not {destination.Length} values");
        }

        if (_toFloat == null)
        {
            source.CopyTo(MemoryMarshal.AsBytes(destination));
            return;
        }

        fixed (byte* from = source)
        fixed (float* to = destination)
        {
            _toFloat(from, to, destination.Length);
        }
    }
}
