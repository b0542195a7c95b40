// Plugs an engine of one's own into Tamx, and measures what it changes: an engine that sees hidden states and output rows as numbers of 16 bits.
// That halves what a device would have to hold and to read; this program says how far the maps of a saved trace are then from the reference's.
//
//     dotnet run --project samples/OwnKernel -- trace.safetensors
//
// A trace is what `tamx explain --save-trace trace.safetensors` keeps of a run.
using Tamx;
using Tamx.Kernels;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: OwnKernel TRACE.safetensors");
    return 2;
}

// From here on "half" is an engine like any other: TamEngine.Create makes it by its name.
TamEngine.Register("half", _ => new HalfEngine());

Trace trace = Trace.Load(args[0]);
using ITamEngine reference = TamEngine.Create(EngineKind.Reference);
using ITamEngine half = TamEngine.Create("half");
ActivationMaps expected = ActivationMaps.Compute(trace, engine: reference);
ActivationMaps actual = ActivationMaps.Compute(trace, engine: half);

float worst = 0;
foreach (var (right, own) in Maps(expected).Zip(Maps(actual)))
{
    worst = Math.Max(worst, right.Zip(own, (one, other) => Math.Abs(one - other)).Max());
}

Console.WriteLine($"{Maps(actual).Count()} maps by the {actual.EngineName} engine; the largest difference from the {expected.EngineName} engine's is {worst:G2}, where 1 is the brightest cell.");
return worst is > 0 and < 0.05f ? 0 : 1;

static IEnumerable<float[]> Maps(ActivationMaps maps) => maps.Answer
    .SelectMany(token => token.Candidates.Prepend(token.Token))
    .SelectMany(token => token.VisionMaps)
    .OfType<float[]>();

/// <summary>Products of numbers rounded to 16 bits, added up in 32; what follows them is the reference's.</summary>
internal sealed class HalfEngine : ITamEngine
{
    private readonly ReferenceEngine _reference = new();

    public EngineKind Kind => "half";

    public string Name => "half";

    /// <summary>The kernel: relu(w_t . h_p).</summary>
    public void Project(
        ReadOnlySpan<float> states, ReadOnlySpan<float> outputRows, int hiddenSize, Span<float> destination, CancellationToken cancellationToken = default)
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        int stateCount = states.Length / hiddenSize;
        float[] roundedStates = Round(states);
        float[] roundedRows = Round(outputRows);
        for (int t = 0; t < outputRows.Length / hiddenSize; t++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var row = roundedRows.AsSpan(t * hiddenSize, hiddenSize);
            for (int p = 0; p < stateCount; p++)
            {
                var state = roundedStates.AsSpan(p * hiddenSize, hiddenSize);
                float sum = 0;
                for (int d = 0; d < hiddenSize; d++)
                {
                    sum += row[d] * state[d];
                }

                destination[t * stateCount + p] = Math.Max(0, sum);
            }
        }
    }

    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        problem.Validate(maps, ranges);
        var activations = new float[problem.OutputRowCount * problem.CellCount];
        Project(problem.CellStates, problem.OutputRows, problem.HiddenSize, activations, cancellationToken);
        Refine(problem, activations, problem.CellCount, maps, ranges, cancellationToken);
    }

    public void Refine(
        in TamProblem problem, ReadOnlySpan<float> activations, int cellCount, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default) =>
        _reference.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default) =>
        _reference.SelectTop(query with { States = Round(query.States), OutputRows = Round(query.OutputRows) }, cancellationToken);

    public void Dispose()
    {
    }

    private static float[] Round(ReadOnlySpan<float> values)
    {
        var rounded = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            rounded[i] = (float)(Half)values[i];
        }

        return rounded;
    }
}
