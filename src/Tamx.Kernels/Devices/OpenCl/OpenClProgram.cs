using static Tamx.Kernels.Devices.OpenCl.OpenClMethods;

namespace Tamx.Kernels.Devices.OpenCl;

/// <summary>A device's context, and the programs that were built for it: kept for the life of the process, since building is slow.</summary>
/// <remarks>Safe to use from any thread.</remarks>
internal sealed unsafe class OpenClProgram
{
    private static readonly KeptPrograms<nint, OpenClProgram> Kept = new(device => new OpenClProgram(device));

    private readonly nint _device;
    private readonly Dictionary<DeviceKernel, (nint Program, string Entry)> _programs = [];
    private readonly Lock _gate = new();

    private OpenClProgram(nint device)
    {
        _device = device;
        Context = CreateContext(null, 1, &device, 0, 0, out int status);
        OpenClDevice.Check(status, "creating a context");
    }

    /// <summary>The context.</summary>
    public nint Context { get; }

    /// <summary>What there is for a device.</summary>
    public static OpenClProgram Of(nint device) => Kept.Of(device);

    /// <summary>Lets the next engine start afresh, after a failure that may have spoilt the context.</summary>
    public void Forget() => Kept.Remove(_device, this);

    /// <summary>A kernel of one's own: arguments are set on it, so no two threads may share it.</summary>
    /// <exception cref="EngineUnavailableException">The driver's compiler does not take it.</exception>
    public nint CreateKernel(DeviceKernel kernel)
    {
        lock (_gate)
        {
            if (!_programs.TryGetValue(kernel, out var built))
            {
                var text = KernelCompiler.ToOpenCl(kernel);
                _programs.Add(kernel, built = (Build(kernel, text), text.Entry));
            }

            nint created = OpenClMethods.CreateKernel(built.Program, built.Entry, out int status);
            OpenClDevice.Check(status, $"creating kernel {kernel.Name}");
            return created;
        }
    }

    private nint Build(DeviceKernel kernel, KernelText text)
    {
        nint program = CreateProgramWithSource(Context, 1, text.Text, null, out int status);
        OpenClDevice.Check(status, $"reading kernel {kernel.Name}");
        bool isProcessor = (OpenClDevices.Number(_device, DeviceType) & DeviceTypeCpu) != 0;
        string options = isProcessor && kernel.IsLong ? "-cl-std=CL1.2 -cl-opt-disable" : "-cl-std=CL1.2";
        fixed (nint* device = &_device)
        {
            status = BuildProgram(program, 1, device, options, 0, 0);
        }

        if (status == Success)
        {
            return program;
        }

        string log = BuildLog(program);
        _ = ReleaseProgram(program);
        OpenClDevice.Check(status, $"compiling kernel {kernel.Name}{log}");
        return 0;
    }

    private string BuildLog(nint program)
    {
        if (GetProgramBuildInfo(program, _device, ProgramBuildLog, 0, null, out nuint size) != Success || size <= 1)
        {
            return string.Empty;
        }

        var text = new byte[size];
        fixed (byte* start = text)
        {
            _ = GetProgramBuildInfo(program, _device, ProgramBuildLog, size, start, out _);
        }

        return CompilerLog.Start(text);
    }
}
