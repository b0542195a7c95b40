namespace Tamx.Kernels.Devices;

/// <summary>An argument of a kernel: memory on the device, or a number.</summary>
public readonly struct KernelArgument
{
    private KernelArgument(long bits, int size)
    {
        Bits = bits;
        Size = size;
    }

    /// <summary>
    /// A number's bytes, from the lowest on; or memory, as <see cref="IKernelDevice.Allocate"/> gave it.
    /// </summary>
    public long Bits { get; }

    /// <summary>How many bytes of a number count.</summary>
    public int Size { get; }

    /// <summary>Whether this is memory.</summary>
    public bool IsMemory { get; private init; }

    /// <summary>
    /// Bytes of the memory before the first that the kernel sees, a multiple of <see cref="ElementSize"/>.
    /// </summary>
    public long Start { get; private init; }

    /// <summary>Bytes of an element.</summary>
    public int ElementSize { get; private init; }

    /// <summary>Memory of numbers of 32 bits.</summary>
    public static implicit operator KernelArgument(DeviceBuffer buffer) => From<int>(buffer.Memory, 0);

    /// <summary>A whole number.</summary>
    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    /// <summary>A number.</summary>
    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));

    /// <summary>Memory, or what of it is from somewhere on.</summary>
    /// <param name="memory">What <see cref="IKernelDevice.Allocate"/> gave.</param>
    /// <param name="start">Bytes before the first that the kernel sees, a multiple of an element's.</param>
    /// <typeparam name="T">Its elements.</typeparam>
    /// <returns>The argument.</returns>
    public static unsafe KernelArgument From<T>(nint memory, long start = 0)
        where T : unmanaged =>
        new(memory, nint.Size) { IsMemory = true, Start = start, ElementSize = sizeof(T) };
}
