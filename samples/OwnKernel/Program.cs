// Writes a kernel for GPUs in C#, plugs an engine with it into Tamx, and measures what it changes: an engine whose
// products see numbers of 11 significant bits, as tensor cores do (TF32). The program says how far the maps of a saved
// trace are then from the reference's.
//
//     dotnet run --project samples/OwnKernel -- trace.safetensors
//
// A trace is what `tamx explain --save-trace trace.safetensors` keeps of a run. It takes any device with CUDA or
// OpenCL, in software too.
using ILGPU;
using Tamx;
using Tamx.Kernels;
using Tamx.Kernels.Devices;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: OwnKernel TRACE.safetensors");
    return 2;
}

// From here on "rounded" is an engine like any other: options name it, and TamEngines.Create makes it.
TamEngines.Register("rounded", options => new RoundedEngine(RoundedEngine.OpenAny(options)));

var trace = TraceFile.Load(args[0]);
using var reference = TamEngines.Create(EngineKind.Reference);
var expected = ActivationMaps.Compute(trace, engine: reference);
ActivationMaps actual;
try
{
    using var rounded = TamEngines.Create("rounded");
    actual = ActivationMaps.Compute(trace, engine: rounded);
}
catch (EngineUnavailableException e)
{
    Console.Error.WriteLine(e.Message);
    return 4;
}

float worst = 0;
foreach (var (right, own) in Maps(expected).Zip(Maps(actual)))
{
    for (var cell = 0; cell < right.Values.Length; cell++)
    {
        worst = Math.Max(worst, Math.Abs(right.Values.Span[cell] - own.Values.Span[cell]));
    }
}

Console.WriteLine(
    $"{Maps(actual).Count()} maps by the {actual.EngineName} engine; the largest difference from the {expected.EngineName} engine's "
        + $"is {worst:G2}, where 1 is the brightest cell."
);
return worst is > 0 and < 0.05f ? 0 : 1;

static IEnumerable<ActivationMap> Maps(ActivationMaps maps) =>
    maps
        .Answer.SelectMany(token => token.Candidates.Prepend(token.Token))
        .SelectMany(token => token.VisionMaps)
        .OfType<ActivationMap>();

/// <summary>The kernel: C# as ILGPU takes it. Group and Grid say which thread this is.</summary>
internal static class RoundedProduct
{
    public const int Threads = 64;

    /// <summary>relu(w_t . h_p) of rounded numbers, in groups (ceil(states / 64), rows): a state per thread.</summary>
    public static void Run(
        ArrayView<float> rows,
        ArrayView<float> states,
        ArrayView<float> results,
        int stateCount,
        int hiddenSize
    )
    {
        var state = Grid.IdxX * Threads + Group.IdxX;
        if (state < stateCount)
        {
            var row = rows.SubView((long)Grid.IdxY * hiddenSize, hiddenSize);
            var hidden = states.SubView((long)state * hiddenSize, hiddenSize);
            float sum = 0;
            for (var d = 0; d < hiddenSize; d++)
            {
                sum += Round(row[d]) * Round(hidden[d]);
            }

            results[(long)Grid.IdxY * stateCount + state] = sum < 0 ? 0 : sum;
        }
    }

    /// <summary>To 10 bits after the point, half to even.</summary>
    private static float Round(float value)
    {
        var bits = Interop.FloatAsInt(value);
        return Interop.IntAsFloat((bits + 0xfffu + ((bits >> 13) & 1u)) & 0xffffe000u);
    }
}

/// <summary>Products by the kernel; what follows them is the reference's.</summary>
internal sealed unsafe class RoundedEngine(IKernelDevice device) : ITamEngine
{
    private static readonly DeviceKernel Kernel = new(
        "rounded_product",
        typeof(RoundedProduct),
        RoundedProduct.Threads,
        1
    );

    private readonly ReferenceEngine _reference = new();

    public EngineKind Kind => "rounded";

    public string Name => $"rounded, {device.Info.Name}: {device.Info.Description}";

    /// <summary>The first device that works.</summary>
    public static IKernelDevice OpenAny(EngineOptions options)
    {
        try
        {
            return KernelDevices.Open(EngineKind.Cuda, options);
        }
        catch (EngineUnavailableException)
        {
            return KernelDevices.Open(EngineKind.OpenCl, options);
        }
    }

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    )
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        cancellationToken.ThrowIfCancellationRequested();
        if (destination.IsEmpty)
        {
            return;
        }

        var stateCount = states.Length / hiddenSize;
        var rowMemory = Upload(outputRows);
        var stateMemory = Upload(states);
        var results = device.Allocate(destination.Length * sizeof(float));
        device.Launch(
            Kernel,
            (stateCount + RoundedProduct.Threads - 1) / RoundedProduct.Threads,
            outputRows.Length / hiddenSize,
            [
                KernelArgument.From<float>(rowMemory),
                KernelArgument.From<float>(stateMemory),
                KernelArgument.From<float>(results),
                stateCount,
                hiddenSize,
            ]
        );
        fixed (float* start = destination)
        {
            device.Download(results, start, destination.Length * sizeof(float));
        }

        device.Free(rowMemory);
        device.Free(stateMemory);
        device.Free(results);
    }

    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(maps, ranges);
        var activations = new float[problem.OutputRowCount * problem.CellCount];
        Project(problem.CellStates, problem.OutputRows, problem.HiddenSize, activations, cancellationToken);
        Refine(problem, activations, problem.CellCount, maps, ranges, cancellationToken);
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    ) => _reference.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default) =>
        _reference.SelectTop(query, cancellationToken);

    public void Dispose() => device.Dispose();

    private nint Upload(ReadOnlySpan<float> values)
    {
        var memory = device.Allocate(values.Length * sizeof(float));
        fixed (float* start = values)
        {
            device.Upload(memory, start, values.Length * sizeof(float));
        }

        return memory;
    }
}
