using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// Profile Paper against the paper's published code (tests/fixtures/tam-paper/README.md), for the answer tokens from the second on. The first
/// one's map is not the paper's: its code explains the token before the answer there, and returns the map of the first prompt token.
/// Nor are the 8-bit results copied: the comparison is with the floats before them.
/// </summary>
public class PaperFixtureTests
{
    /// <summary>The plain tolerance: the paper's code finds the ECI scale by a numeric minimiser too.</summary>
    private const double Tolerance = 3e-4;

    public static TheoryData<string> Cases => ["generate_top3", "repeated_words", "video_one_block_t3"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compute_PaperProfile_MatchesThePublishedCodeFromTheSecondRound(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "tam-paper", name);
        using var expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        var trace = Trace.Load(Path.Combine(folder, document.RootElement.GetProperty("input").GetString()!));

        var maps = ActivationMaps.Compute(trace, TamOptions.ForProfile(TamProfile.Paper));

        Assert.Equal(document.RootElement.GetProperty("answer_tokens").GetInt32(), maps.Answer.Count);
        for (int round = 1; round < maps.Answer.Count; round++)
        {
            FloatAssert.Equal(
                expected.ReadSingles($"map_float.round.{round}"), maps.Answer[round].Token.VisionMaps[0]!, Tolerance, $"{name}: round {round}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compute_PaperProfile_NormalisesTextWithoutTheSelfScore(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "tam-paper", name);
        using var expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        using var fixture = new TamxFixture(name);

        var maps = ActivationMaps.Compute(fixture.Load(), TamOptions.ForProfile(TamProfile.Paper));

        for (int round = 1; round < maps.Answer.Count; round++)
        {
            var (minimum, maximum) = maps.Answer[round].Token.RawRange;
            float[] raw = [.. maps.Answer[round].Token.TextRelevance.Select(value => minimum + value * (maximum - minimum))];
            FloatAssert.Equal(expected.ReadSingles($"text_scores.round.{round}").AsSpan()[..^1], raw, 2e-5, $"{name}: round {round}");
        }
    }
}
