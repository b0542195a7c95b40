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
/// Translates kernels, which are C#, for drivers: to PTX and to OpenCL C. ILGPU does it, and nothing of ILGPU is used
/// besides.
/// </summary>
/// <remarks>
/// It needs no device. ILGPU numbers what it meets, so a kernel's text is the same whenever the same ones were translated
/// before it, as an engine does: drivers' own caches then work. Nothing here loads ILGPU before a kernel is asked for, and
/// that is when a device was found. Safe to use from any thread.
/// </remarks>
internal static partial class KernelCompiler
{
    /// <summary>
    /// The newest cards that ILGPU is asked to write for: PTX for these runs on all that came after, and ILGPU has
    /// nothing better for them.
    /// </summary>
    private static readonly (int Major, int Minor) NewestTarget = (8, 0);

    private const string Barrier = "work_group_barrier ( CLK_GLOBAL_MEM_FENCE )";

    private static readonly Dictionary<(DeviceKernel Kernel, (int Major, int Minor) Target), KernelText> Kept = [];

    private static readonly Lock Gate = new();

    /// <summary>A kernel in PTX.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="capability">The device's compute capability.</param>
    /// <exception cref="EngineUnavailableException">ILGPU does not take it, or is not there.</exception>
    public static KernelText ToPtx(DeviceKernel kernel, (int Major, int Minor) capability) =>
        Translate(EngineKind.Cuda, kernel, capability.CompareTo(NewestTarget) > 0 ? NewestTarget : capability);

    /// <summary>A kernel in OpenCL C 1.2.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="EngineUnavailableException">ILGPU does not take it, or is not there.</exception>
    public static KernelText ToOpenCl(DeviceKernel kernel) => Translate(EngineKind.OpenCl, kernel, default);

    /// <summary>What ILGPU makes OpenCL C 2 of, in OpenCL C 1.2: see <see cref="ToOpenCl(DeviceKernel)"/>.</summary>
    /// <param name="source">ILGPU's text.</param>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="NotSupportedException">Something is left that 1.2 does not have, or that says something else
    /// than what is meant.</exception>
    internal static string ToOpenCl12(string source, DeviceKernel kernel)
    {
        // All generic pointers are into memory that the arguments name. A barrier of ILGPU's orders global memory,
        // where shared memory is what kernels share; where shared memory is not ordered, Oclgrind finds races by the
        // thousand.
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

        // A compiler may not fuse products with sums of another statement, as NVIDIA's does by itself: twice the
        // operations. Where a device has no such instruction, fma() is emulated, at many times the cost of what it
        // saves.
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
        // One at a time, and each once.
        lock (Gate)
        {
            try
            {
                if (!Kept.TryGetValue((kernel, target), out var text))
                {
                    text = kind == EngineKind.Cuda ? Compiler.ToPtx(kernel, target) : Compiler.ToOpenCl(kernel);
                    Kept.Add((kernel, target), text);
                }

                return text;
            }
            catch (Exception e) when (e is not (OutOfMemoryException or EngineUnavailableException))
            {
                // ILGPU's errors are of many kinds, and a program that was trimmed lacks parts of it or of the kernels.
                var reason = (e.InnerException ?? e).Message.Split('\n')[0].Trim();
                throw new EngineUnavailableException(
                    kind, $"engine {kind}: ILGPU does not translate kernel {kernel.Name}: {reason}", e);
            }
        }
    }

    [GeneratedRegex("^#pragma OPENCL EXTENSION.*$", RegexOptions.Multiline)]
    private static partial Regex Extensions();

    [GeneratedRegex(
        @"\b(?:__)?generic\b|\bwork_group_\w+|\bsub_group\w*|\batomic_\w+|\bCLK_GLOBAL_MEM_FENCE|\bmem_fence|\bdouble\b"
        + @"|#pragma.*|\bprintf\b")]
    private static partial Regex Foreign();

    [GeneratedRegex(
        @"(?<product>(?<p>var\d+) = \(float\)\(\(float\) (?<a>\w+) \*  \(float\)(?<b>\w+)\);\s*)"
        + @"(?<sum>var\d+) = \(float\)\((?:\(float\) (?<c>\w+) \+  \(float\)\k<p>|\(float\) \k<p> \+  \(float\)(?<c>[\w.]+))\);")]
    private static partial Regex AddedProduct();

    /// <summary>All that touches ILGPU, so that whoever does not come here does not load it.</summary>
    private static class Compiler
    {
        private static readonly Context Context = Context.Create(
            builder => builder.Optimize(OptimizationLevel.Release).PTXBackend(PTXBackendMode.Enhanced));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static KernelText ToPtx(DeviceKernel kernel, (int Major, int Minor) target)
        {
            // The oldest PTX that knows the card: so drivers as old as that will do.
            var instructions = target.Major >= 8 ? CudaInstructionSet.ISA_70
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
                ?? throw new NotSupportedException($"{kernel.Source} has no public static method Run"));
    }
}
