using System.Text;
using System.Text.Json;

namespace Tamx.Web.Api;

/// <summary>Log-probabilities of tokens as OpenAI has them, from the events of the tokens.</summary>
internal static class Logprobs
{
    private const double LeastProbability = 1e-30;

    /// <summary>A token's entry of <c>logprobs.content</c>. It keeps nothing of the event.</summary>
    /// <param name="token">The event.</param>
    /// <param name="topCount">How many of the likeliest tokens to list with it.</param>
    public static object Of(JsonElement token, int topCount)
    {
        var explained = token.GetProperty("explained");
        var tokens = explained.GetProperty("explained");
        return new
        {
            token = TextOf(token),
            logprob = LogOf(token),
            bytes = BytesOf(token),
            top_logprobs = explained
                .GetProperty("candidates")
                .EnumerateArray()
                .Take(topCount)
                .Select(index => tokens[index.GetInt32()])
                .Select(candidate => new
                {
                    token = TextOf(candidate),
                    logprob = LogOf(candidate),
                    bytes = BytesOf(candidate),
                })
                .ToArray(),
        };
    }

    private static string TextOf(JsonElement token) => token.GetProperty("text").GetString()!;

    private static double LogOf(JsonElement token) =>
        Math.Log(Math.Max(token.GetProperty("probability").GetDouble(), LeastProbability));

    private static int[] BytesOf(JsonElement token) =>
        Array.ConvertAll(Encoding.UTF8.GetBytes(TextOf(token)), value => (int)value);
}
