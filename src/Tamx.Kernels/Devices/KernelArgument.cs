namespace Tamx.Kernels.Devices;

/// <summary>An argument of a kernel: memory on the device, or a number.</summary>
public readonly struct KernelArgument
{
    private KernelArgument(long bits, int size)
    {
        Bits = bits;
        Size = size;
    }

    /// <summary>The value's bytes, from the lowest on. Memory is what <see cref="IKernelDevice.Allocate"/> gave.</summary>
    public long Bits { get; }

    /// <summary>How many of them count.</summary>
    public int Size { get; }

    /// <summary>Memory.</summary>
    public static implicit operator KernelArgument(DeviceBuffer buffer) => new(buffer.Memory, nint.Size);

    /// <summary>A whole number.</summary>
    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    /// <summary>A number.</summary>
    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));
}
