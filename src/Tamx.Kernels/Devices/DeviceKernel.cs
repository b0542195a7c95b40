namespace Tamx.Kernels.Devices;

/// <summary>A kernel of native/kernels, and how many threads a group of it has.</summary>
/// <param name="Name">Name of the kernel and of its file.</param>
/// <param name="GroupWidth">Threads of a group along x.</param>
/// <param name="GroupHeight">Threads of a group along y.</param>
/// <param name="WindowSide">The rank filter's k, which is compiled in; 0 for the others.</param>
public sealed record DeviceKernel(string Name, int GroupWidth, int GroupHeight, int WindowSide = 0)
{
    /// <summary>Threads of every kernel's groups.</summary>
    public const int GroupThreads = 256;

    /// <summary>Bytes of local memory that the largest kernel takes.</summary>
    public const int LocalMemoryBytes = 2 * 16 * 65 * sizeof(float);

    /// <summary>Rows and columns of the results that a group of the products makes.</summary>
    public const int Tile = 64;

    private static readonly DeviceKernel[] RankFilters = [.. new[] { 3, 5, 7, 9 }.Select(side => new DeviceKernel("rank_filter", GroupThreads, 1, side))];

    /// <summary>A = relu(W H^T), or the products as they are.</summary>
    public static DeviceKernel ProjectRelu { get; } = new("project_relu", 16, 16);

    /// <summary>E = Q A.</summary>
    public static DeviceKernel MixContext { get; } = new("mix_context", 16, 16);

    /// <summary>M = relu(A - strength s E).</summary>
    public static DeviceKernel SubtractScaled { get; } = new("subtract_scaled", GroupThreads, 1);

    /// <summary>The smallest and the largest value of each range.</summary>
    public static DeviceKernel JointMinMax { get; } = new("joint_minmax", GroupThreads, 1);

    /// <summary>Values as shares of their range.</summary>
    public static DeviceKernel NormalizeMaps { get; } = new("normalize_maps", GroupThreads, 1);

    /// <summary>The best logits per state, and their log-sum-exp.</summary>
    public static DeviceKernel TopCandidates { get; } = new("top_candidates", GroupThreads, 1);

    /// <summary>All kernels.</summary>
    public static IReadOnlyList<DeviceKernel> All { get; } = [ProjectRelu, MixContext, SubtractScaled, .. RankFilters, JointMinMax, NormalizeMaps, TopCandidates];

    /// <summary>The rank filter for windows of a side.</summary>
    /// <param name="windowSide">3, 5, 7 or 9.</param>
    /// <returns>The kernel.</returns>
    public static DeviceKernel RankFilter(int windowSide) => RankFilters[windowSide / 2 - 1];

    /// <summary>The source, for a compiler of OpenCL C.</summary>
    internal string ReadSource() => string.Concat(new[] { "language.h", "tile.h", "exponential.h", Name + ".cl" }.Select(ReadText));

    /// <summary>The kernel in PTX, as native/kernels/build-ptx made it.</summary>
    internal string ReadPtx() => ReadText(WindowSide == 0 ? $"{Name}.ptx" : $"{Name}_{WindowSide}.ptx");

    /// <summary>A text that native/kernels put into this assembly.</summary>
    internal static string ReadText(string file)
    {
        using var stream = typeof(DeviceKernel).Assembly.GetManifestResourceStream($"kernels/{file}")
            ?? throw new InvalidOperationException($"The assembly lacks kernels/{file}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
