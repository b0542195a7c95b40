using Tamx.Kernels.Devices.Kernels;

namespace Tamx.Kernels.Devices;

/// <summary>
/// A kernel, which <see cref="KernelCompiler"/> translates for drivers, and how many threads a group of it has.
/// </summary>
/// <param name="Name">Its name in messages.</param>
/// <param name="Source">
/// The class that has it, as the static method <c>Run</c>: C# as ILGPU takes it, explicitly grouped, of views and
/// numbers. Barriers order shared memory alone.
/// </param>
/// <param name="GroupWidth">Threads of a group along x.</param>
/// <param name="GroupHeight">Threads of a group along y.</param>
public sealed record DeviceKernel(string Name, Type Source, int GroupWidth, int GroupHeight)
{
    /// <summary>Threads of the groups of all kernels but the matrix products.</summary>
    public const int GroupThreads = 256;

    /// <summary>Bytes of shared memory that the largest kernel takes.</summary>
    public const int SharedMemoryBytes = (2 * 4 * GroupThreads + 2 * GroupThreads + 1) * sizeof(float);

    /// <summary>Rows and columns of the results that a group of the products makes.</summary>
    public const int Tile = 64;

    /// <summary>Terms of a product that are summed before the next ones are.</summary>
    public const int Chunk = 256;

    private static readonly DeviceKernel[] RankFilters =
    [
        new("rank_filter_3", typeof(RankFilterThree), GroupThreads, 1) { IsLong = true },
        new("rank_filter_5", typeof(RankFilterFive), GroupThreads, 1) { IsLong = true },
        new("rank_filter_7", typeof(RankFilterSeven), GroupThreads, 1) { IsLong = true },
        new("rank_filter_9", typeof(RankFilterNine), GroupThreads, 1) { IsLong = true },
    ];

    /// <summary>
    /// Whether it is some thousand statements without a branch, over which a processor's optimizer takes minutes.
    /// </summary>
    public bool IsLong { get; init; }

    /// <summary>A = relu(W H^T), or the products as they are.</summary>
    public static DeviceKernel Product { get; } = new("product", typeof(Product), 8, 8);

    /// <summary>What products in parts add up to.</summary>
    public static DeviceKernel JoinParts { get; } = new("join_parts", typeof(JoinParts), GroupThreads, 1);

    /// <summary>E = Q A.</summary>
    public static DeviceKernel MixContext { get; } = new("mix_context", typeof(MixContext), 8, 8);

    /// <summary>M = relu(A - strength s E).</summary>
    public static DeviceKernel SubtractScaled { get; } = new("subtract_scaled", typeof(SubtractScaled), GroupThreads, 1);

    /// <summary>The smallest and the largest value of each range.</summary>
    public static DeviceKernel JointMinMax { get; } = new("joint_minmax", typeof(JointMinMax), GroupThreads, 1);

    /// <summary>Values as shares of their range.</summary>
    public static DeviceKernel NormalizeMaps { get; } = new("normalize_maps", typeof(NormalizeMaps), GroupThreads, 1);

    /// <summary>The best logits per state, and their log-sum-exp.</summary>
    public static DeviceKernel TopCandidates { get; } = new("top_candidates", typeof(TopCandidates), GroupThreads, 1);

    /// <summary>All kernels.</summary>
    public static IReadOnlyList<DeviceKernel> All { get; } =
        [Product, JoinParts, MixContext, SubtractScaled, .. RankFilters, JointMinMax, NormalizeMaps, TopCandidates];

    /// <summary>The rank filter for windows of a side.</summary>
    /// <param name="windowSide">3, 5, 7 or 9.</param>
    /// <returns>The kernel.</returns>
    public static DeviceKernel RankFilter(int windowSide) => RankFilters[windowSide / 2 - 1];
}
