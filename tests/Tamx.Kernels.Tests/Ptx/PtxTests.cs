using System.Text.RegularExpressions;
using Tamx.Kernels.Devices;
using Tamx.Testing;
using Xunit.Sdk;

namespace Tamx.Kernels.Tests.Ptx;

/// <summary>Executes the PTX that an NVIDIA card would get, so that the code is tested without a GPU.</summary>
public partial class PtxTests(ITestOutputHelper output)
{
    private const double Tolerance = 5e-6;

    /// <summary>
    /// More rows, states and maps than a tile has; odd tails; sums that are split and not; frames smaller than a
    /// window.
    /// </summary>
    private static readonly RandomProblem[] Problems =
    [
        RandomProblem.Create(3, [(2, 3, 4), (1, 5, 14)], 17, 66, 3),
        RandomProblem.Create(5, [(1, 1, 67)], 259, 18, 65).With(kernelSize: 1),
        RandomProblem
            .Create(6, [(1, 9, 8), (1, 2, 3)], 259, 70, 2, 2)
            .With(strength: 0, kernelSize: 5, normalizeBeforeFilter: true),
        RandomProblem.Create(7, [(1, 4, 3), (2, 1, 1)], 2, 5, 2).With(kernelSize: 9),
        RandomProblem.Create(8, [(1, 7, 2)], 3, 5, 2).With(kernelSize: 7),
    ];

    public static TheoryData<string> Kernels => [.. DeviceKernel.All.Select(kernel => kernel.Name)];

    public static TheoryData<string> WithBarriers =>
        [
            .. DeviceKernel
                .All.Except([DeviceKernel.JoinParts, DeviceKernel.NormalizeMaps])
                .Select(kernel => kernel.Name),
        ];

    [Fact]
    public void Compute_ByPtx_EqualsTheReference()
    {
        var device = new PtxDevice();
        using var engine = new DeviceEngine(device, 0);
        using var reference = new ReferenceEngine();
        var text = new ValueRange(0, 10);
        foreach (var problem in Problems)
        {
            var (maps, ranges) = problem.Compute(engine, text);
            var (expected, expectedRanges) = problem.Compute(reference, text);

            FloatAssert.Equal(expected, maps, Tolerance);
            Assert.Equal(expectedRanges.Select(range => range.Minimum), ranges.Select(range => range.Minimum));
        }

        DeviceEngineTests.AssertNonFinite(engine);
        SelectTop(engine, 300, 5);
        Assert.All(DeviceKernel.All, kernel => Assert.True(device.Steps.ContainsKey(kernel), kernel.Name));
    }

    /// <summary>
    /// More than four of the best at one thread, which makes a second round; equal logits; fewer rows than places.
    /// </summary>
    [Fact]
    public void SelectTop_ByPtx_EqualsTheReference()
    {
        using var engine = new DeviceEngine(new PtxDevice(), 0);

        SelectTop(engine, 2300, 40);
        SelectTop(engine, 3, 5);
    }

    /// <summary>
    /// Without any one of the barriers, a value that is read or overwritten too soon is found.
    /// </summary>
    [Theory]
    [MemberData(nameof(WithBarriers))]
    public void Launch_AnyBarrierMissing_IsFound(string name)
    {
        var count = 1;
        for (var missing = 0; missing < count; missing++)
        {
            var device = new PtxDevice(
                (kernel, text) =>
                {
                    if (kernel.Name != name)
                    {
                        return text;
                    }

                    var barriers = Barrier().Matches(text);
                    count = barriers.Count;
                    return text.Remove(barriers[missing].Index, barriers[missing].Length);
                }
            );

            Assert.ThrowsAny<XunitException>(() => RunFor(name, device));
        }

        output.WriteLine($"{name}: {count} barriers");
        Assert.True(count >= 2, $"{count} barriers");
    }

    /// <summary>
    /// One thread too many at the end of a map, one row too many, an array that starts one value too late.
    /// </summary>
    [Theory]
    [InlineData("normalize_maps", "setp.lt.s32", "setp.le.s32")]
    [InlineData("join_parts", "setp.lt.s32", "setp.le.s32")]
    [InlineData("product", "ld.shared.v4.f32", "ld.shared.v4.f32 +4")]
    [InlineData("subtract_scaled", "shr.s32", "shr.s32 off")]
    [InlineData("joint_minmax", "mul.wide.u32", "mul.wide.u32 off")]
    public void Launch_OffByOne_IsFound(string name, string what, string instead)
    {
        var isPlanted = false;
        var device = new PtxDevice(
            (kernel, text) =>
            {
                if (kernel.Name != name)
                {
                    return text;
                }

                var changed = instead.Split(' ') switch
                {
                    [_, "+4"] => AddressEnd().Replace(text, "+4]", 1),
                    [_, "off"] => LastNumber(what)
                        .Replace(text, match => match.Value[..^1] + (char)(match.Value[^1] + 1), 1),
                    _ => new Regex(Regex.Escape(what)).Replace(text, instead, 1),
                };
                isPlanted = changed != text;
                return changed;
            }
        );

        Assert.ThrowsAny<XunitException>(() => RunFor(name, device));
        Assert.True(isPlanted);
    }

    /// <summary>There is no memory of a thread's own, no float64, and no call.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void ToPtx_EachKernel_KeepsToRegisters(string name)
    {
        var kernel = DeviceKernel.All.Single(one => one.Name == name);
        ((int, int), string)[] cards = [((6, 1), "sm_61"), ((7, 5), "sm_75"), ((8, 0), "sm_80"), ((12, 0), "sm_80")];
        foreach (var (capability, target) in cards)
        {
            var text = KernelCompiler.ToPtx(kernel, capability).Text;

            Assert.Contains($".target {target}\n", text.ReplaceLineEndings("\n"), StringComparison.Ordinal);
            Assert.Equal(0, new PtxKernel(text).LocalBytes);
            Assert.DoesNotContain(".local", text, StringComparison.Ordinal);
            Assert.DoesNotContain(".f64", text, StringComparison.Ordinal);
            Assert.DoesNotContain("call", text, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// Instructions of each group's longest thread, for twelve maps of 24, 72, 1 and 300 cells. The bounds are 1.5
    /// times the count of filters in C, compiled by clang, with one window per thread: 12,661, 25,783 and 44,820. For k
    /// = 3 the bound is what was reached. Two thirds of that is finding the window and the extremes.
    /// </summary>
    [Theory]
    [InlineData(3, 11_000)]
    [InlineData(5, 18_991)]
    [InlineData(7, 38_674)]
    [InlineData(9, 67_230)]
    public void Launch_RankFilter_TakesFewInstructions(int kernelSize, long bound)
    {
        var device = new PtxDevice();
        using var engine = new DeviceEngine(device, 0);

        var problem = RandomProblem.Create(19, [(2, 3, 4), (1, 9, 8), (1, 1, 1), (1, 1, 300)], 5, 19, 3);
        problem.With(kernelSize: kernelSize).Compute(engine, new ValueRange(0, 10));

        foreach (var (kernel, steps) in device.Steps)
        {
            output.WriteLine($"{kernel.Name}: {steps} instructions");
        }

        Assert.InRange(device.Steps[DeviceKernel.RankFilter(kernelSize)], 1, bound);
    }

    /// <summary>Runs a kernel in a computation, and checks the results.</summary>
    private static void RunFor(string name, PtxDevice device)
    {
        using var engine = new DeviceEngine(device, 0);
        using var reference = new ReferenceEngine();
        if (name == DeviceKernel.TopCandidates.Name)
        {
            SelectTop(engine, 2300, 40);
            return;
        }

        var kernelSize = Array.Find([5, 7, 9], side => DeviceKernel.RankFilter(side).Name == name);
        var problem = RandomProblem.Create(3, [(2, 3, 5), (1, 8, 8), (1, 1, 4)], 259, 9, 2);
        problem = problem.With(kernelSize: Math.Max(3, kernelSize));
        var text = new ValueRange(0, 10);
        FloatAssert.Equal(problem.Compute(reference, text).Maps, problem.Compute(engine, text).Maps, Tolerance);
    }

    private static void SelectTop(ITamEngine engine, int rowCount, int count)
    {
        // Whole numbers, whose products no engine rounds. Every 256th row is a good one.
        var random = new Random(rowCount);
        float[] states = [.. Enumerable.Range(0, 2 * 7).Select(_ => (float)random.Next(1, 4))];
        float[] rows =
        [
            .. Enumerable.Range(0, rowCount * 7).Select(i => (float)random.Next(-3, 4) + (i / 7 % 256 == 9 ? 2 : 0)),
        ];
        var (expected, expectedSums) = Select(new ReferenceEngine());
        var (actual, actualSums) = Select(engine);

        Assert.Equal(expected, actual);
        FloatAssert.Equal(expectedSums, actualSums, Tolerance * expected.Max(token => token.Logit));

        (TokenScore[] Best, double[] Sums) Select(ITamEngine one)
        {
            TokenScore[] best = [.. Enumerable.Repeat(TokenScore.None, 2 * count)];
            double[] sums = [double.NegativeInfinity, double.NegativeInfinity];
            one.SelectTop(
                new()
                {
                    HiddenSize = 7,
                    States = states,
                    OutputRows = rows,
                    Best = best,
                    LogSums = sums,
                }
            );
            return (best, sums);
        }
    }

    private static Regex LastNumber(string instruction) => new(Regex.Escape(instruction) + @"\s[^;]*\d(?=;)");

    [GeneratedRegex(@"bar\.sync\s+0;")]
    private static partial Regex Barrier();

    [GeneratedRegex(@"(?<=ld\.shared\.v4\.f32[^;]*)\]")]
    private static partial Regex AddressEnd();
}
