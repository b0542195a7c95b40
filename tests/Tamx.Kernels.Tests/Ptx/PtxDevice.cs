using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Tests.Ptx;

/// <summary>
/// A CUDA device without a GPU. It executes the PTX that a card would get.
/// </summary>
/// <param name="change">Changes a kernel's text before it is read.</param>
internal sealed unsafe class PtxDevice(Func<DeviceKernel, string, string>? change = null) : IKernelDevice
{
    private readonly Dictionary<DeviceKernel, PtxKernel> _kernels = [];
    private readonly Dictionary<nint, long> _sizes = [];

    public PtxMachine Machine { get; } = new();

    /// <summary>Instructions executed per kernel.</summary>
    public Dictionary<DeviceKernel, long> Steps { get; } = [];

    public EngineDevice Info { get; } = new("CUDA0", EngineKind.Cuda, "interpreted PTX", 1 << 28, IsGpu: false);

    public long LargestAllocation => Info.MemoryBytes;

    /// <summary>Products of four tiles or more are then not split.</summary>
    public int ComputeUnitCount => 2;

    public nint Allocate(long bytes)
    {
        var memory = Machine.Allocate(bytes);
        _sizes.Add(memory, bytes);
        Machine.Bytes(memory)[..(int)bytes].Fill(0xff);
        return memory;
    }

    public void Free(nint memory)
    {
        Machine.Free(memory);
        _sizes.Remove(memory);
    }

    public void Upload(nint memory, void* source, long bytes)
    {
        if (bytes > 0)
        {
            Assert.True(bytes <= _sizes[memory]);
            new ReadOnlySpan<byte>(source, (int)bytes).CopyTo(Machine.Bytes(memory));
        }
    }

    public void Download(nint memory, void* destination, long bytes) =>
        Machine.Bytes(memory)[..(int)bytes].CopyTo(new Span<byte>(destination, (int)bytes));

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        if (!_kernels.TryGetValue(kernel, out var read))
        {
            var text = KernelCompiler.ToPtx(kernel, (9, 0)).Text;
            _kernels.Add(kernel, read = new PtxKernel(change is null ? text : change(kernel, text)));
        }

        Assert.Equal(read.Parameters.Count, arguments.Length);
        var parameters = new byte[read.ParameterBytes];
        var index = 0;
        foreach (var (offset, size) in read.Parameters.Values)
        {
            var argument = arguments[index++];
            Assert.Equal(argument.IsMemory ? 16 : argument.Size, size);
            if (argument.IsMemory)
            {
                BitConverter.TryWriteBytes(parameters.AsSpan(offset), argument.Bits + argument.Start);
                BitConverter.TryWriteBytes(parameters.AsSpan(offset + 8), long.MaxValue);
            }
            else
            {
                BitConverter.TryWriteBytes(parameters.AsSpan(offset), (int)argument.Bits);
            }
        }

        var before = Machine.StepCount;
        Machine.Launch(read, (groupsX, groupsY), (kernel.GroupWidth, kernel.GroupHeight), parameters);
        Steps[kernel] = Steps.GetValueOrDefault(kernel) + Machine.StepCount - before;
    }

    public void Dispose() { }
}
