using ILGPU;
using ILGPU.Runtime;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Ilgpu.Kernels;

namespace Tamx.Kernels.Ilgpu;

/// <summary>The kernels on one device, each compiled at its first launch and kept for as long as the process lives. Used under a lock on itself.</summary>
internal sealed class IlgpuProgram
{
    private static readonly KeptPrograms<(Context Context, Device Device), IlgpuProgram> Kept = new(one => new IlgpuProgram(one.Context, one.Device));

    private readonly Dictionary<DeviceKernel, Action<KernelConfig, IlgpuArguments>> _launchers = [];
    private readonly Context _context;
    private readonly Device _device;
    private readonly bool _isPlain;

    private IlgpuProgram(Context context, Device device)
    {
        _context = context;
        _device = device;
        Accelerator = device.CreateAccelerator(context);
        _isPlain = Accelerator.MaxNumThreadsPerGroup < DeviceKernel.GroupThreads;
    }

    public Accelerator Accelerator { get; }

    /// <summary>The one of a device.</summary>
    public static IlgpuProgram Of(Context context, Device device) => Kept.Of((context, device));

    /// <summary>Lets the next engine start anew on a device that has failed; those that are there keep what they have.</summary>
    public void Forget() => Kept.Remove((_context, _device), this);

    /// <summary>Starts a kernel; as in <see cref="IKernelDevice.Launch"/>.</summary>
    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, IlgpuArguments arguments)
    {
        if (!_launchers.TryGetValue(kernel, out var launch))
        {
            _launchers.Add(kernel, launch = Load(kernel));
        }

        // Where a group cannot have a GPU's threads, it has one, which does what all of them would.
        var group = _isPlain ? new Index2D(1, 1) : new Index2D(kernel.GroupWidth, kernel.GroupHeight);
        launch(new KernelConfig(new Index2D(groupsX, groupsY), group), arguments);
    }

    private Action<KernelConfig, IlgpuArguments> Load(DeviceKernel kernel) => kernel.Name switch
    {
        "project_relu" => LoadProjectRelu(),
        "mix_context" => LoadMixContext(),
        "subtract_scaled" => LoadSubtractScaled(),
        "rank_filter" => LoadRankFilter(kernel.WindowSide),
        "joint_minmax" => LoadJointMinMax(),
        "normalize_maps" => LoadNormalizeMaps(),
        "top_candidates" => LoadTopCandidates(),
        _ => throw new NotSupportedException($"there is no kernel {kernel.Name} for ILGPU"),
    };

    private Action<KernelConfig, IlgpuArguments> LoadProjectRelu()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, int, int, int, int, int, float>(
            _isPlain ? ProjectRelu.Plain : ProjectRelu.Tiled);
        return (config, a) => launch(
            config, a.View<float>(0), a.View<float>(1), a.View<float>(2), a.Integer(3), a.Integer(4), a.Integer(5), a.Integer(6), a.Integer(7), a.Number(8));
    }

    private Action<KernelConfig, IlgpuArguments> LoadMixContext()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<MapEntry>, ArrayView<float>, int, int, int, int>(
            _isPlain ? MixContext.Plain : MixContext.Tiled);
        return (config, a) => launch(
            config, a.View<float>(0), a.View<float>(1), a.View<MapEntry>(2), a.View<float>(3), a.Integer(4), a.Integer(5), a.Integer(6), a.Integer(7));
    }

    private Action<KernelConfig, IlgpuArguments> LoadSubtractScaled()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<MapEntry>, ArrayView<float>, int, float>(SubtractScaled.Run);
        return (config, a) => launch(config, a.View<float>(0), a.View<MapEntry>(1), a.View<float>(2), a.Integer(3), a.Number(4));
    }

    private Action<KernelConfig, IlgpuArguments> LoadRankFilter(int windowSide)
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<MapEntry>, ArrayView<float>, int>(windowSide switch
        {
            3 => RankFilterThree.Run,
            5 => Kernels.RankFilter.Run<SideFive>,
            7 => Kernels.RankFilter.Run<SideSeven>,
            _ => Kernels.RankFilter.Run<SideNine>,
        });
        return (config, a) => launch(config, a.View<float>(0), a.View<MapEntry>(1), a.View<float>(2), a.Integer(3));
    }

    private Action<KernelConfig, IlgpuArguments> LoadJointMinMax()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<MapEntry>, ArrayView<int>, ArrayView<int>, ArrayView<float>>(JointMinMax.Run);
        return (config, a) => launch(config, a.View<float>(0), a.View<MapEntry>(1), a.View<int>(2), a.View<int>(3), a.View<float>(4));
    }

    private Action<KernelConfig, IlgpuArguments> LoadNormalizeMaps()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<MapEntry>, ArrayView<float>>(NormalizeMaps.Run);
        return (config, a) => launch(config, a.View<float>(0), a.View<MapEntry>(1), a.View<float>(2));
    }

    private Action<KernelConfig, IlgpuArguments> LoadTopCandidates()
    {
        var launch = Accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, int>(TopCandidates.Run);
        return (config, a) => launch(config, a.View<float>(0), a.View<float>(1), a.View<int>(2), a.View<float>(3), a.Integer(4), a.Integer(5));
    }
}
