using System.Runtime.InteropServices;

namespace Tamx.Kernels.Cpu;

/// <summary>Memory for floats outside the managed heap, at an address that suits vectors. Grows, and is kept from call to call.</summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private const nuint Alignment = 64;

    private long _capacity;

    /// <summary>What <see cref="Reserve"/> gave last.</summary>
    public float* Start { get; private set; }

    ~FloatBuffer() => Free();

    /// <summary>Room for a number of floats; their values are undefined, and what was there before is lost when the room has to grow.</summary>
    /// <param name="length">Number of floats.</param>
    /// <returns>The first of them; valid until the next call.</returns>
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
