using Tamx.Kernels;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// All reference cases at the tolerances that their README states, with every engine of the registry.
/// </summary>
public class TamxFixtureTests
{
    private const double ExactTolerance = 2e-6;
    private const double PlainTolerance = 3e-4;
    private const double BFloat16Tolerance = 1e-2;

    public static TheoryData<string, string> CasesAndEngines
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var name in TamxFixture.FindNames())
            {
                foreach (var kind in TestEngines.Working)
                {
                    data.Add(name, kind.Name);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Cases => TamxFixture.Names;

    /// <summary>
    /// The range depends on the grids through the filter, and debug.* is of the reference's own grids.
    /// </summary>
    public static TheoryData<string> CasesWithRightGrids =>
        [.. TamxFixture.FindNames().Where(name => name != "video_per_frame")];

    [Fact]
    public void Names_Always_FindsTheCases() => Assert.Equal(11, TamxFixture.Names.Count);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Parse_Fixture_FindsTheStructure(string name)
    {
        using var fixture = new TamxFixture(name);

        var layout = fixture.Load().ParseLayout(fixture.Options);

        Assert.Equal(TamxFixture.Integers(fixture.Structure.GetProperty("ans_pos")), layout.AnswerPositions);
        Assert.Equal(TamxFixture.Integers(fixture.Structure.GetProperty("ctx_text_pos")), layout.ContextPositions);
        Assert.Equal(fixture.Grids, layout.VisionBlocks.Select(block => block.Grid));
        Assert.All(layout.VisionBlocks, block => Assert.Equal(block.CellCount, block.Grid.CellCount));
        Assert.Equal(
            fixture
                .Structure.GetProperty("vision_blocks")
                .EnumerateArray()
                .Select(block =>
                    (
                        block.GetProperty("start").GetInt32(),
                        block.GetProperty("end").GetInt32(),
                        block.GetProperty("type").GetString() == "video",
                        block.GetProperty("turn_idx").GetInt32()
                    )
                ),
            layout.VisionBlocks.Select(block =>
                (block.StartPosition, block.EndPosition, block.IsVideo, block.TurnIndex)
            )
        );
        Assert.Equal(
            fixture
                .Structure.GetProperty("turns")
                .EnumerateArray()
                .Select(turn => turn.GetProperty("role").GetString()),
            layout.Turns.Select(turn => turn.Role)
        );
        foreach (var (expected, turn) in fixture.Structure.GetProperty("turns").EnumerateArray().Zip(layout.Turns))
        {
            Assert.Equal(TamxFixture.Integers(expected.GetProperty("pos")), turn.TextPositions);
            Assert.Equal(TamxFixture.Integers(expected.GetProperty("vision_blocks")), turn.VisionBlockIndices);
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndEngines))]
    public void Compute_Fixture_MatchesTheReference(string name, string kind)
    {
        using var fixture = new TamxFixture(name);
        using var engine = TamEngines.Create(kind);

        var maps = ActivationMaps.Compute(fixture.Load(), fixture.Options, engine);

        if (fixture.HasCorrectedGrids)
        {
            Compare(fixture, "fixed.", maps, ExactTolerance);
        }
        else
        {
            Compare(fixture, "exact.", maps, ExactTolerance);
            Compare(fixture, string.Empty, maps, PlainTolerance);
        }

        if (name == "bf16")
        {
            Compare(fixture, "bf16run.", maps, BFloat16Tolerance);
        }

        CompareLogits(fixture, maps);
    }

    [Theory]
    [MemberData(nameof(CasesWithRightGrids))]
    public void Compute_Fixture_ReportsTheRangeOfTheNormalisation(string name)
    {
        using var fixture = new TamxFixture(name);

        var maps = ActivationMaps.Compute(fixture.Load(), fixture.Options);

        var minima = fixture.Expected.ReadDoubles("debug.norm_min");
        var maxima = fixture.Expected.ReadDoubles("debug.norm_max");
        FloatAssert.Equal(
            minima,
            maps.Answer.Select(token => (double)token.RawRange.Minimum).ToArray(),
            2e-3,
            "minimum"
        );
        FloatAssert.Equal(
            maxima,
            maps.Answer.Select(token => (double)token.RawRange.Maximum).ToArray(),
            2e-3,
            "maximum"
        );
    }

    /// <summary>
    /// Compares all maps and text relevance; the fixture must have each under the prefix, and none for a missing map.
    /// </summary>
    private static void Compare(TamxFixture fixture, string prefix, ActivationMaps maps, double tolerance)
    {
        var present = MapsOf(maps).Where(map => map.Values is not null).ToList();
        Assert.Equal(
            fixture
                .Expected.Tensors.Keys.Where(key =>
                    key.StartsWith(prefix, StringComparison.Ordinal) && IsMap(key[prefix.Length..])
                )
                .Order(StringComparer.Ordinal),
            present.Select(map => prefix + map.Name).Order(StringComparer.Ordinal)
        );
        foreach (var (name, values) in present)
        {
            FloatAssert.Equal(
                fixture.Expected.ReadSingles(prefix + name),
                values,
                tolerance,
                $"{fixture.Folder}: {prefix}{name}"
            );
        }
    }

    private static bool IsMap(string name) =>
        name.Split('.')[0] is "vision_maps" or "candidate_vision_maps" or "text_rel" or "candidate_text_rel";

    /// <summary>
    /// Logits are not normalised, so float32 sums over D in another order differ relative to their size.
    /// </summary>
    private static void CompareLogits(TamxFixture fixture, ActivationMaps maps)
    {
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            float[] logits =
            [
                .. maps.Answer[i].Candidates.Select(candidate => candidate.Logit).Prepend(maps.Answer[i].Token.Logit),
            ];
            var expected = fixture.Expected.ReadSingles($"candidate_logits.{i}");
            FloatAssert.Equal(
                expected,
                logits,
                1e-6 * expected.Max(MathF.Abs),
                $"{fixture.Folder}: candidate_logits.{i}"
            );
        }
    }

    private static IEnumerable<(string Name, float[]? Values)> MapsOf(ActivationMaps maps)
    {
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            for (var b = 0; b < maps.Layout.VisionBlocks.Count; b++)
            {
                yield return ($"vision_maps.{i}.{b}", maps.Answer[i].Token.VisionMaps[b]?.Values.ToArray());
                for (var c = 0; c < maps.Answer[i].Candidates.Count; c++)
                {
                    yield return (
                        $"candidate_vision_maps.{i}.{c}.{b}",
                        maps.Answer[i].Candidates[c].VisionMaps[b]?.Values.ToArray()
                    );
                }
            }

            yield return ($"text_rel.{i}", maps.Answer[i].Token.TextRelevance.ToArray());
            for (var c = 0; c < maps.Answer[i].Candidates.Count; c++)
            {
                yield return ($"candidate_text_rel.{i}.{c}", maps.Answer[i].Candidates[c].TextRelevance.ToArray());
            }
        }
    }
}
