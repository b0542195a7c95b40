using System.Runtime.InteropServices;

namespace Tamx.Kernels.Cpu;

/// <summary>A growing buffer of floats outside the managed heap, aligned for vectors. Calls reuse it.</summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private const nuint Alignment = 64;

    private long _capacity;

    /// <summary>What <see cref="Reserve"/> returned last.</summary>
    public float* Start { get; private set; }

    ~FloatBuffer() => Free();

    /// <summary>Makes room for a number of floats. Growing loses what was there before.</summary>
    /// <param name="length">Number of floats.</param>
    /// <returns>The first of them, undefined in value; valid until the next call.</returns>
    public float* Reserve(long length)
    {
        if (length > _capacity)
        {
            Free();
            Start = (float*)NativeMemory.AlignedAlloc(checked((nuint)length * sizeof(float)), Alignment);
            _capacity = length;
        }

        return Start;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Start);
        Start = null;
        _capacity = 0;
    }
}
