using System.Reflection;
using System.Runtime.Loader;
using ILGPU;
using Tamx.Kernels.Devices;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class KernelCompilerTests
{
    private static readonly DeviceKernel Racing = new("racing", typeof(RacingKernel), DeviceKernel.GroupThreads, 1);

    public static TheoryData<string> Kernels => [.. DeviceKernel.All.Select(kernel => kernel.Name)];

    /// <summary>
    /// OpenCL 1.2 has no generic pointers. Barriers order local memory.
    /// </summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void ToOpenCl_EachKernel_IsOpenCl12(string name)
    {
        var kernel = DeviceKernel.All.Single(one => one.Name == name);

        var text = KernelCompiler.ToOpenCl(kernel).Text;

        Assert.DoesNotContain("generic", text, StringComparison.Ordinal);
        Assert.DoesNotContain("GLOBAL_MEM_FENCE", text, StringComparison.Ordinal);
        Assert.DoesNotContain("#pragma", text, StringComparison.Ordinal);
        Assert.Contains(
            $"reqd_work_group_size({kernel.GroupWidth}, {kernel.GroupHeight}, 1)",
            text,
            StringComparison.Ordinal
        );
    }

    /// <summary>A thread adds 64 products per term of the sum. All are fused.</summary>
    [Fact]
    public void ToOpenCl_Products_AreFused() =>
        Assert.True(
            KernelCompiler.ToOpenCl(DeviceKernel.Product).Text.Split("= FUSE(").Length > 64,
            "products and sums are apart"
        );

    [Theory]
    [InlineData("atomic_fetch_add_explicit(x, 1, memory_order_relaxed);", "atomic_fetch_add_explicit")]
    [InlineData("work_group_barrier ( CLK_LOCAL_MEM_FENCE );", "work_group_barrier")]
    [InlineData("sub_group_barrier(0);", "sub_group_barrier")]
    [InlineData("double x;", "double")]
    [InlineData("generic float *x;", "generic")]
    public void ToOpenCl12_SomethingLeftThatItLacks_Refuses(string text, string what) =>
        Assert.Contains(
            what,
            Assert
                .Throws<NotSupportedException>(() =>
                    KernelCompiler.ToOpenCl12("kernel void Run() {\n" + text + "\n}", DeviceKernel.Product)
                )
                .Message,
            StringComparison.Ordinal
        );

    /// <summary>The CPU takes over then: <see cref="AutoEngineTests"/>.</summary>
    [Theory]
    [InlineData(typeof(KernelCompilerTests))]
    [InlineData(typeof(ThrowingKernel))]
    public void Translate_WhatIsNoKernel_SaysSoInOneLine(Type source)
    {
        var kernel = new DeviceKernel("none", source, 1, 1);
        Action[] ways = [() => KernelCompiler.ToOpenCl(kernel), () => KernelCompiler.ToPtx(kernel, (8, 0))];
        foreach (var translate in ways)
        {
            var exception = Assert.Throws<EngineUnavailableException>(translate);

            Assert.Contains("ILGPU does not translate kernel none: ", exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', exception.Message);
        }
    }

    /// <summary>
    /// Finding devices, the CPU, and a device that is no GPU do not load it. Loading takes half a second.
    /// </summary>
    [Fact]
    public void Create_WithoutAGpu_DoesNotLoadIlgpu()
    {
        if (TamEngines.Devices.Any(device => device.IsGpu))
        {
            return;
        }

        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var context = new RecordingContext();
        var assembly = context.LoadFromAssemblyPath(typeof(TamEngines).Assembly.Location);
        var engines = assembly.GetType(typeof(TamEngines).FullName!)!;
        _ = engines.GetProperty(nameof(TamEngines.Devices))!.GetValue(null);
        Create("auto");
        Create("cpu");

        Assert.DoesNotContain("ILGPU", context.Wanted);
        if (TestEngines.Working.Contains(EngineKind.OpenCl))
        {
            Create("opencl");
            Assert.DoesNotContain("ILGPU", context.Wanted);
            var compiler = assembly.GetType(typeof(KernelCompiler).FullName!)!;
            var kernels = assembly.GetType(typeof(DeviceKernel).FullName!)!;
            var kernel = kernels.GetProperty(nameof(DeviceKernel.NormalizeMaps), Any)!.GetValue(null);
            compiler.GetMethod(nameof(KernelCompiler.ToOpenCl), Any)!.Invoke(null, [kernel]);
            Assert.Contains("ILGPU", context.Wanted);
        }

        void Create(string kind)
        {
            var name = Activator.CreateInstance(assembly.GetType(typeof(EngineKind).FullName!)!, kind);
            Type[] parameters = [name!.GetType(), typeof(Action<string>)];
            var create = engines.GetMethod(nameof(TamEngines.Create), parameters)!;
            ((IDisposable)create.Invoke(null, [name, null])!).Dispose();
        }
    }

    /// <summary>Oclgrind's log, which is empty for all other tests, must show the missing barrier.</summary>
    [Fact]
    public unsafe void Launch_WithoutABarrier_IsInOclgrindsLog()
    {
        var hasOclgrind = TamEngines.Devices.Any(device =>
            device.Description.Contains("Oclgrind", StringComparison.OrdinalIgnoreCase)
        );
        Assert.SkipUnless(hasOclgrind, "Needs Oclgrind as the OpenCL device; .ci/run shows how.");
        using var device = KernelDevices.Open(EngineKind.OpenCl, new EngineOptions { Kind = EngineKind.OpenCl });
        var values = stackalloc float[DeviceKernel.GroupThreads];
        var memory = device.Allocate(DeviceKernel.GroupThreads * sizeof(float));
        device.Upload(memory, values, DeviceKernel.GroupThreads * sizeof(float));

        device.Launch(Racing, 1, 1, [KernelArgument.From<float>(memory)]);

        device.Download(memory, values, DeviceKernel.GroupThreads * sizeof(float));
    }

    private sealed class RecordingContext : AssemblyLoadContext
    {
        public List<string> Wanted { get; } = [];

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            Wanted.Add(assemblyName.Name!);
            return null;
        }
    }

    private static class RacingKernel
    {
        public static void Run(ArrayView<float> values)
        {
            var shared = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
            shared[Group.IdxX] = values[Group.IdxX];
            values[Group.IdxX] = shared[DeviceKernel.GroupThreads - 1 - Group.IdxX];
        }
    }

    private static class ThrowingKernel
    {
        public static void Run(ArrayView<float> values) => values[0] = new List<float> { 1 }.Count;
    }
}
