using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary><c>tamx maps --candidates</c> and <c>tamx report --candidates</c>, on runs of the demo model.</summary>
public sealed class CandidateOptionTests : IDisposable
{
    private const int Count = 8;

    private readonly TemporaryFolder _folder = new();

    private string OutputPath => _folder.File("out.safetensors");

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// llama.cpp multiplies an F16 head with the hidden state rounded to F16, and a quantized one with the state
    /// rounded to 8 bits. The tolerance is of a logit: ln p, which was seen to differ by 0.0012 (F16) and 0.03, is the
    /// difference of two.
    /// </summary>
    [Theory]
    [InlineData("f16", 2e-3)]
    [InlineData("q8_0", 0.04)]
    [InlineData("q4_k_m", 0.04)]
    public async Task Maps_RunWithoutCandidates_FindsThoseThatLlamaGave(string weights, double tolerance)
    {
        var (trace, path) = await RunAsync(weights);
        var json = _folder.File("maps.json");

        var run = await CommandRun.Of([
            "maps",
            path,
            "-m",
            ModelPath(weights),
            "--candidates",
            $"{Count}",
            "-o",
            OutputPath,
            "--maps-json",
            json,
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(json));
        var answer = document.RootElement.GetProperty("answer").EnumerateArray().ToArray();
        Assert.Equal(trace.CandidateIds!.Count, answer.Length);
        var clear = 0;
        for (var step = 0; step < answer.Length; step++)
        {
            var candidates = answer[step].GetProperty("candidates").EnumerateArray().ToArray();
            double[] logits = [.. trace.CandidateProbabilities![step].Select(probability => Math.Log(probability))];
            Assert.Equal(Count, candidates.Length);
            Assert.Equal(
                trace.AnswerProbabilities!.Value[step],
                answer[step].GetProperty("token").GetProperty("probability").GetDouble(),
                2 * tolerance * trace.AnswerProbabilities.Value[step] + 1e-9
            );
            for (var i = 0; i < Count; i++)
            {
                var (id, probability) = (
                    candidates[i].GetProperty("id").GetInt32(),
                    candidates[i].GetProperty("probability").GetDouble()
                );
                Assert.Equal(logits[i], Math.Log(probability), 2 * tolerance);
                if (
                    (i == 0 || logits[i - 1] - logits[i] > 2 * tolerance)
                    && i < Count - 1
                    && logits[i] - logits[i + 1] > 2 * tolerance
                )
                {
                    Assert.True(
                        trace.CandidateIds[step][i] == id,
                        $"step {step}, place {i}: {id}, {trace.CandidateIds[step][i]} expected"
                    );
                    clear++;
                }
            }
        }

        Assert.True(clear > answer.Length, $"{clear} of {answer.Length * Count} places are certain");
    }

    [Fact]
    public async Task Report_Candidates_AreInIt()
    {
        var (trace, path) = await RunAsync("f16");
        var report = _folder.File("found.html");

        Assert.Equal(
            0,
            (
                await CommandRun.Of([
                    "report",
                    path,
                    "-m",
                    ModelPath("f16"),
                    "--candidates",
                    "2",
                    "-o",
                    report,
                    "--export",
                    "csv",
                    "--out-dir",
                    _folder.File("export"),
                    "-t",
                    "1",
                ])
            ).ExitCode
        );

        Assert.True(File.Exists(report));
        var ids = File.ReadLines(Path.Combine(_folder.File("export"), "tokens.csv"))
            .Skip(1)
            .Select(line => line.Split(',', 5))
            .Where(cells => cells[1].Length > 0)
            .GroupBy(cells => cells[0], cells => int.Parse(cells[3], CultureInfo.InvariantCulture))
            .Select(step => step.ToArray());
        Assert.Equal(trace.CandidateIds!.Select(step => step[..2].ToArray()), ids);
    }

    [Fact]
    public async Task Maps_CandidatesThatCannotBeFound_FailsInOneLine()
    {
        var (_, path) = await RunAsync("f16");

        (await CommandRun.Of(["maps", path, "-o", OutputPath, "--candidates", "3"])).AssertFails(
            2,
            "give its GGUF file (-m)"
        );
        (await CommandRun.Of(["report", path, "-o", OutputPath, "--candidates", "3"])).AssertFails(
            2,
            "give its GGUF file (-m)"
        );
        (
            await CommandRun.Of(["maps", path, "-o", OutputPath, "-m", ModelPath("f16"), "--candidates", "0"])
        ).AssertFails(2, "--candidates is 0");
        (
            await CommandRun.Of(["maps", path, "-o", OutputPath, "-m", ModelPath("f16"), "--candidates", "65"])
        ).AssertFails(2, "from 1 to 64");
        (
            await CommandRun.Of([
                "maps",
                path,
                "-o",
                OutputPath,
                "-m",
                TestModels.LargeVocabulary.ModelPath,
                "--candidates",
                "3",
            ])
        ).AssertFails(3, "hidden states have 256 values");
        (
            await CommandRun.Of([
                "maps",
                path,
                "-o",
                OutputPath,
                "-m",
                TestModels.Qwen3Vl.ModelPath,
                "--candidates",
                "3",
            ])
        ).AssertFails(3, "give the model that the run was made with");
        (
            await CommandRun.Of([
                "maps",
                path,
                "-o",
                OutputPath,
                "-m",
                _folder.File("nowhere.gguf"),
                "--candidates",
                "3",
            ])
        ).AssertFails(3, "nowhere.gguf");
        Assert.False(File.Exists(OutputPath));
    }

    private static string ModelPath(string weights) =>
        Path.Combine(Path.GetDirectoryName(DemoFiles.Model)!, $"tamx-demo-grounded-{weights}.gguf");

    /// <summary>A run with llama.cpp's candidates, and the path of its trace without them.</summary>
    private async Task<(Trace Trace, string Path)> RunAsync(string weights)
    {
        var (full, bare) = (_folder.File("full.safetensors"), _folder.File("bare.safetensors"));
        Assert.Equal(
            0,
            (
                await CommandRun.Of([
                    "explain",
                    "-m",
                    ModelPath(weights),
                    "--mmproj",
                    DemoFiles.Projector,
                    "--image",
                    DemoFiles.Picture,
                    "-t",
                    "1",
                    "--candidates",
                    $"{Count}",
                    "-o",
                    _folder.File("report.html"),
                    "--save-trace",
                    full,
                ])
            ).ExitCode
        );
        var trace = TraceFile.Load(full);
        var without = new Trace
        {
            TokenIds = trace.TokenIds,
            HiddenSize = trace.HiddenSize,
            HiddenStates = trace.HiddenStates,
            OutputIds = trace.OutputIds,
            OutputRows = trace.OutputRows,
            OutputTexts = trace.OutputTexts,
            ImageGrids = trace.ImageGrids,
            CandidateIds = [.. trace.CandidateIds!.Select(_ => ImmutableArray<int>.Empty)],
            Markers = trace.Markers,
            Pictures = trace.Pictures,
        };
        TraceFile.Save(without, bare);
        return (trace, bare);
    }
}
