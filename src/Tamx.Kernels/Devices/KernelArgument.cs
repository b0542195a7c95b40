namespace Tamx.Kernels.Devices;

/// <summary>An argument of a kernel: memory on the device, or a number.</summary>
public readonly struct KernelArgument
{
    private KernelArgument(long bits, int size)
    {
        Bits = bits;
        Size = size;
    }

    /// <summary>A number's bytes, or the handle of memory from <see cref="IKernelDevice.Allocate"/>.</summary>
    internal long Bits { get; }

    /// <summary>Bytes of a number or of a handle.</summary>
    internal int Size { get; }

    /// <summary>Whether this is memory.</summary>
    internal bool IsMemory { get; private init; }

    /// <summary>Offset in bytes at which the kernel's view starts, a multiple of <see cref="ElementSize"/>.</summary>
    internal long Start { get; private init; }

    /// <summary>Bytes of an element of the view.</summary>
    internal int ElementSize { get; private init; }

    /// <summary>A whole number.</summary>
    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    /// <summary>A floating-point number.</summary>
    public static implicit operator KernelArgument(float value) =>
        new(BitConverter.SingleToUInt32Bits(value), sizeof(float));

    /// <summary>A view of memory.</summary>
    /// <param name="memory">A handle from <see cref="IKernelDevice.Allocate"/>.</param>
    /// <param name="start">Offset in bytes at which the view starts, a multiple of an element's size.</param>
    /// <typeparam name="T">The view's elements.</typeparam>
    /// <returns>The argument.</returns>
    public static unsafe KernelArgument From<T>(nint memory, long start = 0)
        where T : unmanaged =>
        new(memory, nint.Size)
        {
            IsMemory = true,
            Start = start,
            ElementSize = sizeof(T),
        };
}
