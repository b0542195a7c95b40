using System.Text;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary>Log-probabilities of tokens as OpenAI has them.</summary>
internal static class Logprobs
{
    /// <summary>A token's entry of <c>logprobs.content</c>.</summary>
    /// <param name="token">The token.</param>
    /// <param name="topCount">How many of the likeliest tokens to list with it.</param>
    public static object Of(WrittenToken token, int topCount) =>
        new
        {
            token = TextOf(token.Token),
            logprob = token.Token.LogProbability,
            bytes = BytesOf(token.Token),
            top_logprobs = token
                .Likeliest.Take(topCount)
                .Select(likely => new
                {
                    token = TextOf(likely),
                    logprob = likely.LogProbability,
                    bytes = BytesOf(likely),
                })
                .ToArray(),
        };

    /// <summary>The member <c>logprobs</c> of a choice; null where it was not asked for.</summary>
    public static object? Member(bool isWanted, IReadOnlyList<object> entries) =>
        isWanted ? new { content = entries, refusal = (string?)null } : null;

    private static string TextOf(TokenChance token) => Encoding.UTF8.GetString(token.Bytes);

    private static int[] BytesOf(TokenChance token) => Array.ConvertAll(token.Bytes, value => (int)value);
}
