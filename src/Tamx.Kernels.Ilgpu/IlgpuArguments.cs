using ILGPU;
using ILGPU.Runtime;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu;

/// <summary>A kernel's arguments as ILGPU's launchers want them: views of memory, and numbers.</summary>
internal readonly struct IlgpuArguments(KernelArgument[] arguments, Dictionary<nint, MemoryBuffer1D<byte, Stride1D.Dense>> memory)
{
    /// <summary>Memory, of which nothing may be read where there is none.</summary>
    public ArrayView<T> View<T>(int index)
        where T : unmanaged => memory.TryGetValue((nint)arguments[index].Bits, out var buffer) ? Cast<T>(buffer) : ArrayView<T>.Empty;

    public int Integer(int index) => (int)arguments[index].Bits;

    public float Number(int index) => BitConverter.Int32BitsToSingle((int)arguments[index].Bits);

    private static ArrayView<T> Cast<T>(MemoryBuffer1D<byte, Stride1D.Dense> buffer)
        where T : unmanaged => buffer.View.SubView(0, buffer.Length / Interop.SizeOf<T>() * Interop.SizeOf<T>()).Cast<byte, T>().BaseView;
}
