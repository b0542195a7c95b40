namespace Tamx;

/// <summary>Names of tensors and metadata in a saved trace; docs/trace-format.md describes them.</summary>
internal static class TraceFormat
{
    public const string HiddenState = "hidden_state";
    public const string GeneratedIds = "generated_ids";
    public const string OutputIds = "lm_head_ids";
    public const string OutputRows = "lm_head_rows";
    public const string ImageGrids = "image_grid_thw";
    public const string VideoGrids = "video_grid_thw";
    public const string CandidateIds = "candidate_ids_per_step";

    /// <summary>How names of what TAMX's scripts do not write begin.</summary>
    public const string Prefix = "tamx.";

    public const string CandidateProbabilities = "tamx.candidate_probabilities";
    public const string AnswerProbabilities = "tamx.answer_probabilities";
    public const string RegionChanges = "tamx.region_changes";
    public const string TextBytes = "tamx.token_text_bytes";
    public const string TextEnds = "tamx.token_text_ends";

    public const string FormatKey = "tamx.format";
    public const string FormatVersion = "1";
    public const string MarkersKey = "tamx.markers";
    public const string RunKey = "tamx.run";
    public const string PicturesKey = "tamx.pictures";
    public const string OptionsKey = "tamx.options";

    /// <summary>Hidden states after a layer [rows, D].</summary>
    public static string Layer(int layer) => $"{LayerPrefix}{layer}";

    /// <summary>ln of the sum of exp(logit) over the vocabulary at each row of a layer [rows].</summary>
    public static string LayerLogSums(int layer) => $"tamx.layer_log_sums.{layer}";

    public const string LayerPrefix = "tamx.layer.";

    /// <summary>Ids whose evidence a step has [K].</summary>
    public static string EvidenceIds(int step) => $"tamx.evidence_ids.{step}";

    /// <summary>Their scores for each position before the token [K, positions].</summary>
    public static string Evidence(int step) => $"tamx.evidence.{step}";

    /// <summary>Per id what came from no position, and the logit less the mean logit [K, 2].</summary>
    public static string EvidenceLogits(int step) => $"tamx.evidence_logits.{step}";

    public static string Picture(int index) => $"tamx.picture.{index}";
}

/// <summary>A picture's entry under <c>tamx.pictures</c>; its bytes are a tensor of their own.</summary>
internal sealed record TracePictureEntry
{
    public required int Block { get; init; }

    public required int Frame { get; init; }

    public required string MediaType { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public double? Seconds { get; init; }

    public string? Name { get; init; }
}
