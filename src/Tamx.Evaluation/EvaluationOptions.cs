namespace Tamx.Evaluation;

/// <summary>How to evaluate.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The method's options. For kinds of maps without ECI or filter, these steps are switched off.</summary>
    public TamOptions Tam { get; init; } = new();

    /// <summary>The kinds of maps to score. The last one gives the order for the curves. All four by default.</summary>
    public IReadOnlyList<MapKind> Kinds { get; init; } = Enum.GetValues<MapKind>();

    /// <summary>
    /// What maps are computed from. TAM on the last hidden states by default. The first one gives sweep, agreement, the
    /// paper's figures and the answers' curves.
    /// </summary>
    public IReadOnlyList<MapSource> Sources { get; init; } = [MapSource.LastLayer];

    /// <summary>Further settings whose maps of nouns are scored, from the same run. None by default.</summary>
    public IReadOnlyList<MapSetting> Sweep { get; init; } = [];

    /// <summary>The kind of maps that a source's curves are of: the last one that it has.</summary>
    internal MapKind KindOf(MapSource source) =>
        source.Method == MapMethod.Tam ? Kinds[^1] : Kinds.FirstOrDefault(source.Has);

    /// <summary>Most tokens of an answer. 256 by default, as in the paper's evaluation.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>
    /// How many samples, from the first, to measure insertion and deletion curves on. Each costs about 3 x steps runs
    /// of the model. 0 by default.
    /// </summary>
    public int CurveSampleCount { get; init; }

    /// <summary>
    /// Whether to measure curves of each noun by its own map, too, on the same samples. Each costs about 2 x steps runs
    /// of the model per noun and source. False by default.
    /// </summary>
    public bool MeasuresWords { get; init; }

    /// <summary>Steps of a curve, at least 1. 8 by default.</summary>
    public int CurveStepCount { get; init; } = 8;

    /// <summary>Resamples behind a confidence interval, at least 1. 1000 by default.</summary>
    public int ResampleCount { get; init; } = 1000;

    /// <summary>Seed of resamples and of the curves' random orders. 1 by default.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The method's options for one kind of maps of the first source.</summary>
    /// <param name="kind">The kind.</param>
    public TamOptions TamFor(MapKind kind) => TamFor(Sources[0], kind);

    /// <summary>The method's options for one kind of maps of a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="kind">The kind.</param>
    public TamOptions TamFor(MapSource source, MapKind kind) =>
        Tam with
        {
            Method = source.Method,
            Layer = source.Layer,
            ApplyEci = kind is MapKind.Eci or MapKind.EciFilter,
            ApplyFilter = kind is MapKind.Filter or MapKind.EciFilter,
            ExplainPrompt = false,
        };
}
