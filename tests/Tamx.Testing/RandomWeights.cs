using System.Buffers.Binary;
using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>
/// Random numbers that are the same on every machine and .NET version: SplitMix64, uniform, no transcendental
/// functions.
/// </summary>
/// <param name="seed">Seed of the whole model.</param>
/// <param name="name">
/// The tensor; each has a stream of its own, so that leaving one out does not change the others.
/// </param>
internal sealed class RandomWeights(uint seed, string name)
{
    private ulong _state = Fnv1A(name) + seed;

    /// <summary>
    /// Elements uniform around <paramref name="mean"/> with a standard deviation that may differ per row.
    /// </summary>
    public byte[] Fill(TensorType type, long rowCount, long rowSize, float mean, Func<long, float> deviationOfRow)
    {
        var size = type.BlockBytes;
        var data = new byte[rowCount * rowSize * size];
        var at = 0;
        for (long row = 0; row < rowCount; row++)
        {
            // A uniform distribution over [-a, a) has the standard deviation a / sqrt(3).
            var amplitude = deviationOfRow(row) * MathF.Sqrt(3);
            for (long i = 0; i < rowSize; i++)
            {
                var value = mean + (amplitude * Next());
                if (type == TensorType.F16)
                {
                    BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(at), (Half)value);
                }
                else
                {
                    BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(at), value);
                }

                at += size;
            }
        }

        return data;
    }

    /// <summary>Uniform in [-1, 1), a multiple of 2^-23.</summary>
    private float Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return ((long)(z >> 40) - (1 << 23)) / (float)(1 << 23);
    }

    private static ulong Fnv1A(string text)
    {
        var hash = 14695981039346656037;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }
}
