using System.Globalization;
using System.Text.Json.Serialization;
using Tamx.Kernels;

namespace Tamx;

/// <summary>How the maps of a word's tokens are joined.</summary>
public enum WordAggregation
{
    /// <summary>The largest value of each cell.</summary>
    Max,

    /// <summary>The mean of each cell.</summary>
    Mean,
}

/// <summary>A preset of <see cref="TamOptions"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TamProfile>))]
public enum TamProfile
{
    /// <summary>As the Python library TAMX computes (with an exact ECI scale). The default.</summary>
    [JsonStringEnumMemberName("tamx")]
    Tamx,

    /// <summary>As the paper's published code computes.</summary>
    [JsonStringEnumMemberName("paper")]
    Paper,

    /// <summary>
    /// Tamx's own choice: the best scores on scenes with known masks (docs/evaluation.md), and no slips.
    /// </summary>
    [JsonStringEnumMemberName("tuned")]
    Tuned,
}

/// <summary>When a context word counts as a repetition of the explained word. Its map is then not subtracted.</summary>
public enum RepeatedWords
{
    /// <summary>Same token id, as in TAMX.</summary>
    ById,

    /// <summary>Same decoded text, as in the paper.</summary>
    ByText,

    /// <summary>Same text except for case and surrounding blanks: <c>" Cat"</c> is <c>"cat"</c>.</summary>
    ByFoldedText,
}

/// <summary>Options of the method; those of the machine are <see cref="EngineOptions"/>.</summary>
/// <remarks>
/// The defaults are those of <see cref="TamProfile.Tamx"/>. For another preset start from <see cref="ForProfile"/>.
/// Setting <see cref="Profile"/> changes only the reported name.
/// </remarks>
public sealed partial record TamOptions
{
    /// <summary>The preset the options started from.</summary>
    public TamProfile Profile { get; init; } = TamProfile.Tamx;

    /// <summary>How maps are computed. <see cref="MapMethod.Tam"/> by default.</summary>
    public MapMethod Method { get; init; } = MapMethod.Tam;

    /// <summary>
    /// The layer, from 0, whose hidden states the maps are computed from; the trace must hold it. -1 (the default) for
    /// the last hidden states, as in TAMX. <see cref="MapMethod.Evidence"/> takes all layers and does not look at it.
    /// </summary>
    public int Layer { get; init; } = -1;

    /// <summary>Estimated causal inference: subtract what other context words explain. True by default.</summary>
    public bool ApplyEci { get; init; } = true;

    /// <summary>Rank-Gaussian filter. True by default, false in <see cref="TamProfile.Tuned"/>.</summary>
    public bool ApplyFilter { get; init; } = true;

    /// <summary>Side of the filter's window: 1, 3, 5, 7 or 9. 3 by default.</summary>
    public int KernelSize { get; init; } = 3;

    /// <summary>Share of the scaled interference that ECI subtracts, from 0 to 1. 1 by default.</summary>
    public float EciStrength { get; init; } = 1;

    /// <summary>The filter's result for equal positive values. <see cref="ConstantWindow.Zero"/> by default.</summary>
    public ConstantWindow ConstantWindow { get; init; } = ConstantWindow.Zero;

    /// <summary>
    /// Take an earlier answer token's relevance at the position that predicted it (the paper) and not at its own (TAMX,
    /// the default). If on, the state right before the explained token, which predicts it, has no part in the weights
    /// and the normalisation.
    /// </summary>
    public bool AnswerRelevanceWherePredicted { get; init; }

    /// <summary>
    /// Weight a candidate's ECI context by the candidate's own relevance, not the answer token's. False by default.
    /// </summary>
    public bool CandidatesOwnWeights { get; init; }

    /// <summary>
    /// Weight the context uniformly if none of it is relevant (sum up to 1e-8). If off, subtract nothing. True by
    /// default.
    /// </summary>
    public bool UniformWeightsWithoutRelevance { get; init; } = true;

    /// <summary>When a context word counts as the explained word. By id by default, and always without texts.</summary>
    public RepeatedWords RepeatedWords { get; init; } = RepeatedWords.ById;

    /// <summary>Normalise before the filter, as the paper does, and not after it. False by default.</summary>
    public bool NormalizeBeforeFilter { get; init; }

    /// <summary>
    /// Normalise an answer token together with its candidates (the default). Their maps can then be compared, but
    /// depend on the number of candidates. If off, each is normalised by itself.
    /// </summary>
    public bool NormalizeWithCandidates { get; init; } = true;

    /// <summary>
    /// Take only the prompt's text after the last vision block as context (the paper). False by default.
    /// </summary>
    public bool ContextAfterVisionOnly { get; init; }

    /// <summary>
    /// Represent two context tokens by other maps, as the paper's published code does. The first prompt token gets the
    /// map of the class that its state predicts most strongly (among the trace's ids), also where it is explained
    /// itself. The first answer token gets the map of the token before it. False by default.
    /// </summary>
    public bool StandInContextMaps { get; init; }

    /// <summary>
    /// Drop the ids of the words system, user and assistant anywhere in the text, as TAMX does. True by default.
    /// </summary>
    public bool DropRoleWordsEverywhere { get; init; } = true;

    /// <summary>
    /// Explain the context's tokens too (<see cref="ActivationMaps.Prompt"/>), as the paper's code does. False by
    /// default.
    /// </summary>
    public bool ExplainPrompt { get; init; }

    /// <summary>How the maps of a word's tokens are joined. <see cref="WordAggregation.Max"/> by default.</summary>
    public WordAggregation WordMaps { get; init; } = WordAggregation.Max;

    /// <summary>
    /// Patches per axis that the vision tower merges into one cell. 0 (the default) takes 2, as in all Qwen-VL models.
    /// If 2 does not fit, it takes the only size that fits all grids to their numbers of tokens.
    /// </summary>
    public int MergeSize { get; init; }

    /// <summary>Temporal patches merged into one cell. 1 by default.</summary>
    public int TemporalMergeSize { get; init; } = 1;

    /// <summary>The options of a preset.</summary>
    /// <param name="profile">The preset.</param>
    /// <returns>The options.</returns>
    public static TamOptions ForProfile(TamProfile profile) =>
        profile switch
        {
            TamProfile.Tamx => new TamOptions(),
            TamProfile.Paper => new TamOptions
            {
                Profile = profile,
                AnswerRelevanceWherePredicted = true,
                CandidatesOwnWeights = true,
                UniformWeightsWithoutRelevance = false,
                RepeatedWords = RepeatedWords.ByText,
                NormalizeBeforeFilter = true,
                NormalizeWithCandidates = false,
                ContextAfterVisionOnly = true,
                StandInContextMaps = true,
                ExplainPrompt = true,
                DropRoleWordsEverywhere = false,
            },
            TamProfile.Tuned => new TamOptions
            {
                Profile = profile,
                ApplyFilter = false,
                ConstantWindow = ConstantWindow.Value,
                CandidatesOwnWeights = true,
                RepeatedWords = RepeatedWords.ByFoldedText,
                DropRoleWordsEverywhere = false,
            },
            _ => throw new ArgumentOutOfRangeException(nameof(profile), profile, "Not a profile."),
        };

    /// <summary>The same options with another method.</summary>
    /// <param name="method">The method. The rank filter, which makes only TAM's maps clearer, is off with others.</param>
    /// <param name="layer">The layer, from 0; -1 for the last hidden states, and for evidence, which takes all.</param>
    public TamOptions WithMethod(MapMethod method, int layer = -1) =>
        this with
        {
            Method = method,
            Layer = layer,
            ApplyFilter = ApplyFilter && method == MapMethod.Tam,
        };

    /// <summary>Method and layer in words: "TAM, last layer".</summary>
    /// <param name="run">The run that maps are of, or null. In hybrids not all layers give evidence.</param>
    public string DescribeMethod(RunInfo? run = null)
    {
        var some = run?.AttentionLayers is { } layers ? $"{layers} layers: those with softmax attention" : null;
        return Method switch
        {
            MapMethod.Evidence => $"Evidence, {some ?? "all layers"}",
            MapMethod.Lens => $"Logit lens, {PlaceOf(Layer)}",
            MapMethod.Joint when some is not null => $"Evidence ({some}) and logit lens, {PlaceOf(Layer)}",
            MapMethod.Joint => $"Evidence and logit lens, {PlaceOf(Layer)}",
            _ => $"TAM, {PlaceOf(Layer)}",
        };
    }

    /// <summary>Refuses values that the method cannot work with.</summary>
    /// <exception cref="InvalidInputException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        Require(RankFilter.IsKernelSize(KernelSize), $"kernel size {KernelSize}: it must be 1, 3, 5, 7 or 9");
        Require(EciStrength is >= 0 and <= 1, $"ECI strength {EciStrength}: it must be from 0 to 1");
        Require(Layer >= -1, $"layer {Layer}: it must be at least 0, or -1 for the last hidden states");
        if (Method.NeedsLogSums() && Layer < 0)
        {
            throw InvalidInputException.Naming(
                $"the logit lens needs a layer ({new Setting(nameof(Layer))}); the last one is the model's number of layers less 1"
            );
        }

        Require(MergeSize >= 0, $"merge size {MergeSize}: it must be at least 1, or 0 to take it from the grids");
        Require(TemporalMergeSize >= 1, $"temporal merge size {TemporalMergeSize}: it must be at least 1");
    }

    private static string PlaceOf(int layer) =>
        layer < 0 ? "last layer" : string.Create(CultureInfo.InvariantCulture, $"layer {layer}");

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidInputException(message);
        }
    }
}
