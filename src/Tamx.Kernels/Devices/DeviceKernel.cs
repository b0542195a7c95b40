using Tamx.Kernels.Devices.Kernels;

namespace Tamx.Kernels.Devices;

/// <summary>
/// A kernel in C#, and the number of threads of its groups. It is translated to PTX or OpenCL C at its first launch.
/// </summary>
/// <param name="Name">Its name in messages.</param>
/// <param name="Source">
/// The class with the kernel as its public static method <c>Run</c>, explicitly grouped, with views and numbers as
/// parameters. It is the C# that ILGPU translates. Barriers order only shared memory.
/// </param>
/// <param name="GroupWidth">Threads of a group along x.</param>
/// <param name="GroupHeight">Threads of a group along y.</param>
public sealed record DeviceKernel(string Name, Type Source, int GroupWidth, int GroupHeight)
{
    /// <summary>Threads of a group, for all kernels but the matrix products.</summary>
    internal const int GroupThreads = 256;

    /// <summary>Bytes of shared memory of the kernel that uses most.</summary>
    internal const int SharedMemoryBytes = (2 * 4 * GroupThreads + 2 * GroupThreads + 1) * sizeof(float);

    /// <summary>Rows and columns of the tile of results that a group of a matrix product computes.</summary>
    internal const int Tile = 64;

    /// <summary>Terms of a sum in a part, where a product is split.</summary>
    internal const int Chunk = 256;

    private static readonly DeviceKernel[] RankFilters =
    [
        new("rank_filter_3", typeof(RankFilterThree), GroupThreads, 1) { IsLong = true },
        new("rank_filter_5", typeof(RankFilterFive), GroupThreads, 1) { IsLong = true },
        new("rank_filter_7", typeof(RankFilterSeven), GroupThreads, 1) { IsLong = true },
        new("rank_filter_9", typeof(RankFilterNine), GroupThreads, 1) { IsLong = true },
    ];

    /// <summary>
    /// Whether it is thousands of statements without a branch. Optimizers for the CPU take minutes for such a kernel.
    /// </summary>
    public bool IsLong { get; init; }

    /// <summary>A = relu(W H^T), or the products without relu.</summary>
    internal static DeviceKernel Product { get; } = new("product", typeof(Product), 8, 8);

    /// <summary>Adds the parts of products that were split.</summary>
    internal static DeviceKernel JoinParts { get; } = new("join_parts", typeof(JoinParts), GroupThreads, 1);

    /// <summary>E = Q A.</summary>
    internal static DeviceKernel MixContext { get; } = new("mix_context", typeof(MixContext), 8, 8);

    /// <summary>M = relu(A - strength s E).</summary>
    internal static DeviceKernel SubtractScaled { get; } =
        new("subtract_scaled", typeof(SubtractScaled), GroupThreads, 1);

    /// <summary>The smallest and the largest value of each range.</summary>
    internal static DeviceKernel JointMinMax { get; } = new("joint_minmax", typeof(JointMinMax), GroupThreads, 1);

    /// <summary>Values as shares of their range.</summary>
    internal static DeviceKernel NormalizeMaps { get; } = new("normalize_maps", typeof(NormalizeMaps), GroupThreads, 1);

    /// <summary>The best logits per state, and their log-sum-exp.</summary>
    internal static DeviceKernel TopCandidates { get; } = new("top_candidates", typeof(TopCandidates), GroupThreads, 1);

    /// <summary>All kernels of <see cref="DeviceEngine"/>.</summary>
    internal static IReadOnlyList<DeviceKernel> All { get; } =
    [Product, JoinParts, MixContext, SubtractScaled, .. RankFilters, JointMinMax, NormalizeMaps, TopCandidates];

    /// <summary>The rank filter for a side of the window: 3, 5, 7 or 9.</summary>
    internal static DeviceKernel RankFilter(int windowSide) => RankFilters[windowSide / 2 - 1];
}
