using System.Text.Json;
using Tamx.Kernels;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// Profile Paper against the paper's published code (tests/fixtures/tam-paper/README.md), for the prompt's tokens and
/// the answer's from the second on. The first answer token's map is not the paper's: its code explains the token before
/// the answer there, and returns the map of the first prompt token. Nor are the 8-bit results copied: the comparison is
/// with the floats before them.
/// </summary>
public class PaperFixtureTests
{
    /// <summary>Against the code's own maps: it finds the ECI scale by a numeric minimiser, as TAMX does.</summary>
    private const double PlainTolerance = 3e-4;

    /// <summary>Against its maps with the closed form of that scale.</summary>
    private const double ExactTolerance = 2e-6;

    public static TheoryData<string> Cases => ["generate_top3", "repeated_words", "video_one_block_t3"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compute_PaperProfile_MatchesThePublishedCode(string name)
    {
        var fixture = new PaperFixture(name);
        using var expected = fixture.Expected;

        var maps = ActivationMaps.Compute(fixture.Trace, TamOptions.ForProfile(TamProfile.Paper));

        Assert.Equal(fixture.Case.GetProperty("answer_tokens").GetInt32(), maps.Answer.Count);
        Assert.Equal(fixture.Case.GetProperty("prompt_tokens").GetInt32(), maps.Prompt.Count);
        var scales = expected.ReadDoubles("eci_scale_exact");
        var compared = 0;
        foreach (var (index, key) in fixture.Keys.Index().Where(entry => entry.Item != "round.0"))
        {
            var number = int.Parse(
                key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..],
                System.Globalization.CultureInfo.InvariantCulture
            );
            var token = key.StartsWith("prompt", StringComparison.Ordinal) ? maps.Prompt[number] : maps.Answer[number];
            var grid = maps.Layout.VisionBlocks[0].Grid;
            FloatAssert.Equal(
                expected.ReadSingles($"map_float.{key}"),
                token.Token.VisionMaps[0]!.Values.Span,
                PlainTolerance,
                $"{name}: {key}"
            );
            FloatAssert.Equal(
                ExactMap(expected, key, scales[index], grid),
                token.Token.VisionMaps[0]!.Values.Span,
                ExactTolerance,
                $"{name}: {key} with the exact scale"
            );
            compared++;
        }

        Assert.Equal(maps.Prompt.Count + maps.Answer.Count - 1, compared);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compute_PaperProfile_NormalisesTextWithoutTheSelfScore(string name)
    {
        var fixture = new PaperFixture(name);
        using var expected = fixture.Expected;

        var maps = ActivationMaps.Compute(fixture.Trace, TamOptions.ForProfile(TamProfile.Paper));

        foreach (
            var (token, key) in maps
                .Answer.Select((token, i) => (token, $"round.{i}"))
                .Skip(1)
                .Concat(maps.Prompt.Select((token, i) => (token, $"prompt.{i}")))
        )
        {
            var (minimum, maximum) = token.RawRange;
            float[] raw = [.. token.Token.TextRelevance.Select(value => minimum + value * (maximum - minimum))];
            FloatAssert.Equal(expected.ReadSingles($"text_scores.{key}").AsSpan()[..^1], raw, 2e-5, $"{name}: {key}");
        }
    }

    /// <summary>
    /// The code's map with the closed form of the scale, from its own activation, interference and text scores.
    /// </summary>
    private static float[] ExactMap(SafetensorsFile expected, string key, double scale, PatchGrid grid)
    {
        var activation = expected.ReadSingles($"activation.{key}");
        var map = Array.ConvertAll(activation, value => (double)value);
        if (expected.Tensors.ContainsKey($"interference.{key}"))
        {
            var interference = expected.ReadSingles($"interference.{key}");
            map = [.. activation.Zip(interference, (a, e) => Math.Max(0, a - scale * e))];
        }

        var text = expected.ReadSingles($"text_scores.{key}")[..^1];
        var minimum = Math.Min(map.Min(), text.Length > 0 ? text.Min() : double.PositiveInfinity);
        var maximum = Math.Max(map.Max(), text.Length > 0 ? text.Max() : double.NegativeInfinity);
        map = Array.ConvertAll(map, value => (value - minimum) / (maximum - minimum));
        var filtered = new double[map.Length];
        var frame = grid.Rows * grid.Columns;
        for (var first = 0; first < map.Length; first += frame)
        {
            RankFilter.Apply(
                map.AsSpan(first, frame),
                grid.Rows,
                grid.Columns,
                3,
                ConstantWindow.Zero,
                filtered.AsSpan(first, frame)
            );
        }

        return Array.ConvertAll(filtered, value => (float)value);
    }

    private sealed class PaperFixture
    {
        public PaperFixture(string name)
        {
            var folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "tam-paper", name);
            Expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
            using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
            Case = document.RootElement.Clone();
            Trace = TraceFile.Load(Path.Combine(folder, Case.GetProperty("input").GetString()!));
        }

        public SafetensorsFile Expected { get; }

        public JsonElement Case { get; }

        public Trace Trace { get; }

        /// <summary>The explained tokens in the order of the scales.</summary>
        public IEnumerable<string> Keys => Case.GetProperty("order").EnumerateArray().Select(key => key.GetString()!);
    }
}
