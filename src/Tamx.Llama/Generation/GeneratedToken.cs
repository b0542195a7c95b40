namespace Tamx.Llama;

/// <summary>A token the model could have written at a step.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Logit">Its logit.</param>
/// <param name="Probability">Its probability under the model's softmax.</param>
public readonly record struct TokenCandidate(int Id, float Logit, float Probability)
{
    /// <summary>The token's text by itself. U+FFFD stands for a part of a character.</summary>
    public string? Text { get; init; }
}

/// <summary>A token of the answer, which the model wrote or was given.</summary>
public sealed record GeneratedToken
{
    /// <summary>Number of the token in the answer, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Position in the sequence of prompt and answer.</summary>
    public required int Position { get; init; }

    /// <summary>Token id.</summary>
    public required int Id { get; init; }

    /// <summary>
    /// What it adds to the answer's text. Empty within a character's bytes, and for the end token; before a stop text,
    /// a part of the token's own text.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>The token's logit.</summary>
    public required float Logit { get; init; }

    /// <summary>ln of the token's probability under the model's softmax (temperature 1).</summary>
    public required double LogProbability { get; init; }

    /// <summary>
    /// ln of the token's probability with <see cref="RegionUse.LookAt"/>'s push; null where no region is looked at.
    /// </summary>
    public double? SteeredLogProbability { get; init; }

    /// <summary>The token's probability under the model's softmax, whatever the sampling.</summary>
    public float Probability => (float)Math.Exp(LogProbability);

    /// <summary>The step's best tokens, best first; as many as were asked for.</summary>
    public required IReadOnlyList<TokenCandidate> Candidates { get; init; }

    /// <summary>Whether this token ends the answer (<c>&lt;|im_end|&gt;</c>).</summary>
    public required bool EndsAnswer { get; init; }
}
