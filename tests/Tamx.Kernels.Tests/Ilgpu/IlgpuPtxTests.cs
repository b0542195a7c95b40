using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using Tamx.Kernels.Ilgpu.Kernels;
using Xunit.Abstractions;

namespace Tamx.Kernels.Tests.Ilgpu;

/// <summary>What ILGPU makes of the kernels for CUDA, which needs no GPU.</summary>
public class IlgpuPtxTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, MethodInfo> Methods = new()
    {
        ["project_relu"] = Method(typeof(ProjectRelu), nameof(ProjectRelu.Tiled)),
        ["mix_context"] = Method(typeof(MixContext), nameof(MixContext.Tiled)),
        ["subtract_scaled"] = Method(typeof(SubtractScaled), nameof(SubtractScaled.Run)),
        ["rank_filter 3"] = Method(typeof(RankFilterThree), nameof(RankFilterThree.Run)),
        ["rank_filter 5"] = Method(typeof(Tamx.Kernels.Ilgpu.Kernels.RankFilter), "Run").MakeGenericMethod(typeof(SideFive)),
        ["rank_filter 7"] = Method(typeof(Tamx.Kernels.Ilgpu.Kernels.RankFilter), "Run").MakeGenericMethod(typeof(SideSeven)),
        ["rank_filter 9"] = Method(typeof(Tamx.Kernels.Ilgpu.Kernels.RankFilter), "Run").MakeGenericMethod(typeof(SideNine)),
        ["joint_minmax"] = Method(typeof(JointMinMax), nameof(JointMinMax.Run)),
        ["normalize_maps"] = Method(typeof(NormalizeMaps), nameof(NormalizeMaps.Run)),
        ["top_candidates"] = Method(typeof(TopCandidates), nameof(TopCandidates.Run)),
    };

    public static TheoryData<string> Kernels => [.. Methods.Keys];

    /// <summary>No window of the rank filter but those of k = 5 and more is in memory, nor are the products' sums; nothing is in float64.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Ptx_EachKernel_KeepsToRegisters(string kernel)
    {
        using var context = Context.Create(builder => builder.Optimize(OptimizationLevel.Release));
        using var backend = new PTXBackend(context, CudaArchitecture.SM_61, CudaInstructionSet.ISA_60, null!);

        string text = ((PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(Methods[kernel]), default)).PTXAssembly;

        int local = text.Split('\n').Count(line => line.Contains(".local", StringComparison.Ordinal));
        output.WriteLine($"{kernel}: {text.Length} characters of PTX, {local} lines with .local");
        Assert.Contains(".target sm_61", text, StringComparison.Ordinal);
        Assert.Contains(".visible .entry", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", text, StringComparison.Ordinal);
        Assert.Equal(kernel is "rank_filter 5" or "rank_filter 7" or "rank_filter 9", local > 0);
    }

    private static MethodInfo Method(Type type, string name) => type.GetMethod(name, BindingFlags.Public | BindingFlags.Static)!;
}
