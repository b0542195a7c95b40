using System.Text.Json;

namespace Tamx.Report;

/// <summary>Writes the page's data of one explained token.</summary>
internal static class ReportTokenJson
{
    /// <summary>Writes the properties into an object that has been started.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="token">The token.</param>
    /// <param name="before">Ids of the tokens right before it. The last few are enough.</param>
    /// <param name="options">How the maps were computed.</param>
    /// <param name="tokens">All tokens up to this one.</param>
    /// <param name="texts">Texts of ids.</param>
    /// <param name="textOrder">Positions that can have relevance.</param>
    /// <param name="vectors">Receives maps and relevance. The JSON has their offsets.</param>
    public static void Write(
        Utf8JsonWriter json,
        AnswerToken token,
        ReadOnlySpan<int> before,
        TamOptions options,
        ReportTokens tokens,
        TokenTexts texts,
        TextOrder textOrder,
        PackedVectorList vectors
    )
    {
        // The answer's token is usually one of the candidates too. It is written once.
        var explained = new List<ExplainedToken> { token.Token };
        var candidates = new List<int>(token.Candidates.Count);
        foreach (var candidate in token.Candidates)
        {
            var index = explained.FindIndex(other => other.TokenId == candidate.TokenId);
            if (index < 0)
            {
                index = explained.Count;
                explained.Add(candidate);
            }

            candidates.Add(index);
        }

        var shown = tokens.IndexOf(token.Position);
        json.WriteNumber("token", shown);

        // Nearly always the text before the token is the start of the common order. Then its length is enough.
        if (textOrder.StartsWith(token.TextPositions))
        {
            json.WriteNumber("text", token.TextPositions.Count);
        }
        else
        {
            ReportJson.WriteNumbers(json, "text", token.TextPositions.Select(tokens.IndexOf));
        }

        ReportJson.WriteNumbers(json, "candidates", candidates);
        json.WriteStartArray("explained");
        foreach (var one in explained)
        {
            var text = one == token.Token ? tokens.WholeText(shown) : texts.DecodeAfter(before, one.TokenId);
            var range = options.NormalizeWithCandidates ? token.RawRange : one.RawRange;
            WriteExplained(json, one, text, range, vectors);
        }

        json.WriteEndArray();
    }

    private static void WriteExplained(
        Utf8JsonWriter json,
        ExplainedToken one,
        string text,
        (float Minimum, float Maximum) range,
        PackedVectorList vectors
    )
    {
        json.WriteStartObject();
        json.WriteNumber("id", one.TokenId);
        json.WriteString("text", text);
        ReportJson.WriteNumber(json, "logit", one.Logit);
        ReportJson.WriteNumber(json, "probability", one.Probability);
        var isKnown = float.IsFinite(range.Minimum) && float.IsFinite(range.Maximum);
        json.WriteStartArray("range");
        json.WriteNumberValue(isKnown ? range.Minimum : 0);
        json.WriteNumberValue(isKnown ? range.Maximum : 1);
        json.WriteEndArray();
        json.WriteStartArray("maps");
        foreach (var map in one.VisionMaps)
        {
            if (map is null)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteNumberValue(vectors.AddDense(map.Values));
            }
        }

        json.WriteEndArray();
        json.WriteNumber("relevance", vectors.AddSparse(one.TextRelevance.AsSpan()));
        json.WriteEndObject();
    }
}
