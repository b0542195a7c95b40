using static Tamx.Kernels.Devices.OpenCl.OpenClMethods;

namespace Tamx.Kernels.Devices.OpenCl;

/// <summary>A device's context, and a cache of programs that its driver has built.</summary>
/// <remarks>Used by one thread at a time.</remarks>
internal sealed unsafe class OpenClContext
{
    private readonly nint _device;
    private readonly Dictionary<DeviceKernel, (nint Program, string Entry)> _programs = [];

    public OpenClContext(nint device)
    {
        _device = device;
        Handle = CreateContext(null, 1, &device, 0, 0, out var status);
        OpenClDevice.Check(status, "creating a context");
    }

    /// <summary>The context's handle; 0 once it is released.</summary>
    public nint Handle { get; private set; }

    /// <summary>Creates a kernel from its cached or newly built program. The caller releases it.</summary>
    /// <exception cref="EngineUnavailableException">The driver's compiler does not compile it.</exception>
    public nint CreateKernel(DeviceKernel kernel)
    {
        if (!_programs.TryGetValue(kernel, out var built))
        {
            var text = KernelCompiler.ToOpenCl(kernel);
            _programs.Add(kernel, built = (Build(kernel, text), text.Entry));
        }

        var created = OpenClMethods.CreateKernel(built.Program, built.Entry, out var status);
        OpenClDevice.Check(status, $"creating kernel {kernel.Name}");
        return created;
    }

    /// <summary>Releases programs and context. The driver keeps them as long as an object of theirs exists.</summary>
    public void Release()
    {
        foreach (var (program, _) in _programs.Values)
        {
            _ = ReleaseProgram(program);
        }

        _programs.Clear();
        if (Handle != 0)
        {
            _ = ReleaseContext(Handle);
            Handle = 0;
        }
    }

    private nint Build(DeviceKernel kernel, KernelText text)
    {
        var program = CreateProgramWithSource(Handle, 1, text.Text, null, out var status);
        OpenClDevice.Check(status, $"reading kernel {kernel.Name}");
        var isCpu = (OpenClDevices.Number(_device, DeviceType) & DeviceTypeCpu) != 0;
        var options = isCpu && kernel.IsLong ? "-cl-std=CL1.2 -cl-opt-disable" : "-cl-std=CL1.2";
        fixed (nint* device = &_device)
        {
            status = BuildProgram(program, 1, device, options, 0, 0);
        }

        if (status == Success)
        {
            return program;
        }

        var log = BuildLog(program);
        _ = ReleaseProgram(program);
        OpenClDevice.Check(status, $"compiling kernel {kernel.Name}{log}");
        return 0;
    }

    private string BuildLog(nint program)
    {
        if (GetProgramBuildInfo(program, _device, ProgramBuildLog, 0, null, out var size) != Success || size <= 1)
        {
            return string.Empty;
        }

        var text = new byte[size];
        fixed (byte* start = text)
        {
            _ = GetProgramBuildInfo(program, _device, ProgramBuildLog, size, start, out _);
        }

        return CompilerLog.Excerpt(text);
    }
}
