namespace Tamx.Kernels;

/// <summary>A token and its logit.</summary>
/// <param name="Id">Token id; -1 where there is none.</param>
/// <param name="Logit">Output row times hidden state; -infinity where there is none.</param>
public readonly record struct TokenScore(int Id, float Logit)
{
    /// <summary>No token. It comes after any token.</summary>
    public static TokenScore None => new(-1, float.NegativeInfinity);

    /// <summary>Whether its logit is larger than the other's, or equal with a lower id.</summary>
    public bool IsBetterThan(TokenScore other) => Logit > other.Logit || (Logit == other.Logit && Id < other.Id);
}
