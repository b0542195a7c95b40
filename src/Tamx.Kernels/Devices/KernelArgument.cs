namespace Tamx.Kernels.Devices;

/// <summary>An argument of a kernel: memory on the device, or a number.</summary>
internal readonly struct KernelArgument
{
    private KernelArgument(long bits, int size)
    {
        Bits = bits;
        Size = size;
    }

    /// <summary>The value's bytes, from the lowest on.</summary>
    public readonly long Bits;

    /// <summary>How many of them count.</summary>
    public readonly int Size;

    public static implicit operator KernelArgument(DeviceBuffer buffer) => new(buffer.Memory, nint.Size);

    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));
}
