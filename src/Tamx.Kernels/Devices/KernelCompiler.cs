using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Tamx.Kernels.Devices;

/// <summary>
/// Translates kernels from C# to PTX and OpenCL C with ILGPU. Nothing else of ILGPU is used.
/// </summary>
/// <remarks>
/// No device is needed. ILGPU numbers its values through all kernels it translates. So a kernel's text depends on the
/// kernels before it. An engine translates them in the same order each time, so the drivers' own caches work. ILGPU is
/// loaded when the first kernel is asked for, which is after a device was found. Safe to use from any thread.
/// </remarks>
internal static partial class KernelCompiler
{
    /// <summary>
    /// The newest compute capability to compile for. Its PTX runs on all newer cards, and ILGPU knows no better PTX for
    /// them.
    /// </summary>
    private static readonly (int Major, int Minor) NewestTarget = (8, 0);

    private const string Barrier = "work_group_barrier ( CLK_GLOBAL_MEM_FENCE )";

    private static readonly Dictionary<(DeviceKernel Kernel, (int Major, int Minor) Target), KernelText> Cache = [];

    private static readonly Lock CacheLock = new();

    /// <summary>Translates a kernel to PTX.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="capability">The device's compute capability.</param>
    /// <exception cref="EngineUnavailableException">ILGPU does not take it, or is not there.</exception>
    public static KernelText ToPtx(DeviceKernel kernel, (int Major, int Minor) capability) =>
        Translate(EngineKind.Cuda, kernel, capability.CompareTo(NewestTarget) > 0 ? NewestTarget : capability);

    /// <summary>Translates a kernel to OpenCL C 1.2.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="EngineUnavailableException">ILGPU does not take it, or is not there.</exception>
    public static KernelText ToOpenCl(DeviceKernel kernel) => Translate(EngineKind.OpenCl, kernel, default);

    /// <summary>Turns the OpenCL C 2 that ILGPU writes into OpenCL C 1.2.</summary>
    /// <param name="source">ILGPU's text.</param>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="NotSupportedException">The text has something that 1.2 lacks or defines otherwise.</exception>
    internal static string ToOpenCl12(string source, DeviceKernel kernel)
    {
        // All generic pointers are into the arguments' memory, which is global. ILGPU's barrier orders global memory,
        // but kernels share data in local memory: with that barrier, Oclgrind finds a thousand races.
        var size = $"reqd_work_group_size({kernel.GroupWidth}, {kernel.GroupHeight}, 1)";
        var text = source
            .Replace("__generic", "__global", StringComparison.Ordinal)
            .Replace(Barrier, "barrier(CLK_LOCAL_MEM_FENCE)", StringComparison.Ordinal)
            .Replace("kernel void", $"kernel __attribute__(({size})) void", StringComparison.Ordinal);
        text = Extensions().Replace(text, string.Empty);
        if (Foreign().Match(text) is { Success: true } match)
        {
            throw new NotSupportedException($"ILGPU's OpenCL C has {match.Value}, which OpenCL C 1.2 has not");
        }

        // OpenCL compilers do not fuse a product and a sum of two statements, which costs twice the operations.
        // NVIDIA's compiler of PTX does. Devices without a fused instruction emulate fma() at many times the cost.
        return """
                #ifdef FP_FAST_FMAF
                #define FUSE(a, b, c) fma(a, b, c)
                #else
                #define FUSE(a, b, c) ((a) * (b) + (c))
                #endif

                """ + AddedProduct().Replace(text, "${product}${sum} = FUSE(${a}, ${b}, ${c});");
    }

    private static KernelText Translate(EngineKind kind, DeviceKernel kernel, (int Major, int Minor) target)
    {
        lock (CacheLock)
        {
            try
            {
                if (!Cache.TryGetValue((kernel, target), out var text))
                {
                    text = kind == EngineKind.Cuda ? Compiler.ToPtx(kernel, target) : Compiler.ToOpenCl(kernel);
                    Cache.Add((kernel, target), text);
                }

                return text;
            }
            catch (Exception e) when (e is not (OutOfMemoryException or EngineUnavailableException))
            {
                // ILGPU throws exceptions of many types. A trimmed program lacks parts of ILGPU or of the kernels.
                var reason = (e.InnerException ?? e).Message.Split('\n')[0].Trim();
                throw new EngineUnavailableException(
                    kind,
                    $"engine {kind}: ILGPU does not translate kernel {kernel.Name}: {reason}",
                    e
                );
            }
        }
    }

    [GeneratedRegex("^#pragma OPENCL EXTENSION.*$", RegexOptions.Multiline)]
    private static partial Regex Extensions();

    [GeneratedRegex(
        @"\b(?:__)?generic\b|\bwork_group_\w+|\bsub_group\w*|\batomic_\w+|\bCLK_GLOBAL_MEM_FENCE|\bmem_fence|\bdouble\b"
            + @"|#pragma.*|\bprintf\b"
    )]
    private static partial Regex Foreign();

    [GeneratedRegex(
        @"(?<product>(?<p>var\d+) = \(float\)\(\(float\) (?<a>\w+) \*  \(float\)(?<b>\w+)\);\s*)"
            + @"(?<sum>var\d+) = \(float\)\("
            + @"(?:\(float\) (?<c>\w+) \+  \(float\)\k<p>|\(float\) \k<p> \+  \(float\)(?<c>[\w.]+))\);"
    )]
    private static partial Regex AddedProduct();

    /// <summary>The code that uses ILGPU, apart, so that only its first use loads ILGPU.</summary>
    private static class Compiler
    {
        private static readonly Context Context = Context.Create(builder =>
            builder.Optimize(OptimizationLevel.Release).PTXBackend(PTXBackendMode.Enhanced)
        );

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static KernelText ToPtx(DeviceKernel kernel, (int Major, int Minor) target)
        {
            // The oldest PTX version for the target, so that old drivers work too.
            var instructions =
                target.Major >= 8 ? CudaInstructionSet.ISA_70
                : target.CompareTo((7, 5)) >= 0 ? CudaInstructionSet.ISA_63
                : CudaInstructionSet.ISA_60;
            var architecture = new CudaArchitecture(target.Major, target.Minor);
            using var backend = new PTXBackend(Context, architecture, instructions, null!);
            var specialization = new KernelSpecialization(kernel.GroupWidth * kernel.GroupHeight, null);
            var compiled = (PTXCompiledKernel)backend.Compile(Entry(kernel), specialization);
            return new KernelText(compiled.PTXAssembly, compiled.Name);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static KernelText ToOpenCl(DeviceKernel kernel)
        {
            var capabilities = new CLCapabilityContext(false, false, false, false, false);
            using var backend = new CLBackend(Context, capabilities, CLDeviceVendor.Other, CLCVersion.CL12);
            var compiled = (CLCompiledKernel)backend.Compile(Entry(kernel), default);
            return new KernelText(ToOpenCl12(compiled.Source, kernel), compiled.Name);
        }

        private static EntryPointDescription Entry(DeviceKernel kernel) =>
            EntryPointDescription.FromExplicitlyGroupedKernel(
                kernel.Source.GetMethod("Run")
                    ?? throw new NotSupportedException($"{kernel.Source} has no public static method Run")
            );
    }
}
