using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

public sealed class MapsCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string OutputPath => _folder.File("out.safetensors");

    public static TheoryData<string> Cases =>
        [
            .. Directory
                .EnumerateFiles(
                    Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx"),
                    "case.json",
                    SearchOption.AllDirectories
                )
                .Select(path => Path.GetFileName(Path.GetDirectoryName(path)!))
                .Order(StringComparer.Ordinal),
        ];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Maps_SetOptions_GoOverTheProfilesAndAreRecorded()
    {
        var run = await CommandRun.Of([
            "maps",
            Input("repeated_words"),
            "-o",
            OutputPath,
            "--profile",
            "tuned",
            "--set",
            "eciStrength=0.25",
            "--set",
            "RepeatedWords=byId",
            "--set",
            "wordMaps=mean",
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        var options = TamOptions.ForProfile(TamProfile.Tuned) with
        {
            EciStrength = 0.25f,
            RepeatedWords = RepeatedWords.ById,
        };
        using var file = SafetensorsFile.Open(OutputPath);
        FloatAssert.Equal(
            ActivationMaps.Compute(TraceFile.Load(Input("repeated_words")), options).Answer[3].Token.VisionMaps[0]!
                .Values
                .Span,
            file.ReadSingles("vision_maps.3.0"),
            0,
            "map"
        );
        using var recorded = JsonDocument.Parse(file.Metadata["tamx.options"]);
        Assert.Equal("tuned", recorded.RootElement.GetProperty("profile").GetString());
        Assert.Equal(0.25, recorded.RootElement.GetProperty("eciStrength").GetDouble());
        Assert.Equal("byId", recorded.RootElement.GetProperty("repeatedWords").GetString());
        Assert.Equal("mean", recorded.RootElement.GetProperty("wordMaps").GetString());

        // Of the machine nothing is recorded, not even what was asked for.
        Assert.All(
            (string[])["engine", "kind", "device", "threadCount", "maxDeviceBytes", "maxWorkingBytes"],
            name => Assert.False(recorded.RootElement.TryGetProperty(name, out _), name)
        );
    }

    [Theory]
    [InlineData("eciStrength", "a name and a value are needed")]
    [InlineData("strength=1", "no such option; there are profile, method, layer, applyEci")]
    [InlineData("eciStrength=much", "this is no value for the option, which is 1 otherwise")]
    [InlineData("applyEci=1", "this is no value for the option, which is true otherwise")]
    [InlineData("repeatedWords=byMagic", "this is no value for the option, which is byId otherwise")]
    [InlineData("repeatedWords=1", "this is no value for the option")]
    public async Task Maps_SetUnknownOptionOrValue_IsAUsageError(string assignment, string message) =>
        (await CommandRun.Of(["maps", Input("repeated_words"), "-o", OutputPath, "--set", assignment])).AssertFails(
            2,
            message
        );

    [Fact]
    public async Task Maps_SetValueOutOfRange_IsRefused() =>
        (
            await CommandRun.Of(["maps", Input("repeated_words"), "-o", OutputPath, "--set", "eciStrength=2"])
        ).AssertFails(3, "ECI strength 2: it must be from 0 to 1");

    /// <summary>What TAMX's scripts write: no rows of the output embedding, which the model then gives.</summary>
    [Fact]
    public async Task Maps_DumpWithoutRows_TakesThemFromTheModel()
    {
        var (report, full, dump) = (
            _folder.File("report.html"),
            _folder.File("trace.safetensors"),
            _folder.File("dump.safetensors")
        );
        var files = TestModels.Qwen3VlUntied;
        Assert.Equal(
            0,
            (
                await CommandRun.Of([
                    "explain",
                    "-m",
                    files.ModelPath,
                    "--mmproj",
                    files.ProjectorPath,
                    "--image",
                    DemoFiles.Picture,
                    "-n",
                    "3",
                    "-t",
                    "1",
                    "--no-eos",
                    "-o",
                    report,
                    "--save-trace",
                    full,
                ])
            ).ExitCode
        );
        var trace = TraceFile.Load(full);
        var writer = new SafetensorsWriter();
        writer.AddSingles("hidden_state", trace.HiddenStates, 1, trace.HiddenRowCount, trace.HiddenSize);
        writer.AddIntegers("generated_ids", [.. trace.TokenIds.Select(id => (long)id)], 1, trace.TokenIds.Length);
        writer.AddIntegers(
            "candidate_ids_per_step",
            [.. trace.CandidateIds!.SelectMany(step => step.Select(id => (long)id))],
            trace.CandidateIds!.Count,
            3
        );
        writer.AddIntegers("image_grid_thw", [1, trace.ImageGrids[0].Rows, trace.ImageGrids[0].Columns], 1, 3);
        writer.AddSingles("video_grid_thw", [], 0);
        writer.Write(dump);

        Assert.Equal(
            0,
            (await CommandRun.Of(["maps", dump, "-m", files.ModelPath, "-o", OutputPath, "-t", "1"])).ExitCode
        );
        using var file = SafetensorsFile.Open(OutputPath);
        FloatAssert.Equal(
            ActivationMaps.Compute(trace).Answer[^1].Token.VisionMaps[0]!.Values.Span,
            file.ReadSingles($"vision_maps.{trace.CandidateIds!.Count - 1}.0"),
            0,
            "map"
        );

        var other = _folder.File("other.safetensors");
        (await CommandRun.Of(["maps", dump, "-m", TestModels.LargeVocabulary.ModelPath, "-o", other])).AssertFails(
            3,
            "give the model that the run was made with (-m)"
        );
        (await CommandRun.Of(["maps", dump, "-o", other])).AssertFails(3, "lm_head_ids is missing");
        (await CommandRun.Of(["maps", dump, "-m", _folder.File("nowhere.gguf"), "-o", other])).AssertFails(
            3,
            "nowhere.gguf"
        );
        Assert.False(File.Exists(other));
    }

    [Fact]
    public async Task Maps_PaperProfile_WritesThePublishedCodesMapsAndTheOptions()
    {
        var json = _folder.File("maps.json");
        var run = await CommandRun.Of([
            "maps",
            Input("repeated_words"),
            "-o",
            OutputPath,
            "--profile",
            "paper",
            "-t",
            "1",
            "--maps-json",
            json,
        ]);

        Assert.Equal(0, run.ExitCode);
        using var expected = SafetensorsFile.Open(
            Path.Combine(AppContext.BaseDirectory, "fixtures", "tam-paper", "repeated_words", "expected.safetensors")
        );
        using var actual = SafetensorsFile.Open(OutputPath);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(json));
        string[] prompt =
        [
            .. expected.Tensors.Keys.Where(key => key.StartsWith("map_float.prompt.", StringComparison.Ordinal)),
        ];
        Assert.Equal(prompt.Length, document.RootElement.GetProperty("prompt").GetArrayLength());
        foreach (var key in prompt)
        {
            FloatAssert.Equal(
                expected.ReadSingles(key),
                actual.ReadSingles($"prompt_vision_maps.{key["map_float.prompt.".Length..]}.0"),
                3e-4,
                key
            );
        }

        FloatAssert.Equal(
            expected.ReadSingles("map_float.round.5"),
            actual.ReadSingles("vision_maps.5.0"),
            3e-4,
            "round 5"
        );
        using var options = JsonDocument.Parse(actual.Metadata["tamx.options"]);
        Assert.Equal(options.RootElement.GetRawText(), document.RootElement.GetProperty("options").GetRawText());
        Assert.Equal("byText", options.RootElement.GetProperty("repeatedWords").GetString());
        Assert.Equal("paper", options.RootElement.GetProperty("profile").GetString());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Maps_Fixture_WritesTheReferencesTensors(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(name), "case.json")));
        var parameters = document.RootElement.GetProperty("parameters");
        List<string> arguments =
        [
            "maps",
            Input(name),
            "-o",
            OutputPath,
            "--kernel",
            parameters.GetProperty("kernel_size").GetRawText(),
            "-t",
            "1",
        ];
        if (!parameters.GetProperty("apply_filter").GetBoolean())
        {
            arguments.Add("--no-filter");
        }

        var run = await CommandRun.Of(arguments);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(string.Empty, run.Output);
        using var expected = SafetensorsFile.Open(Path.Combine(Folder(name), "expected.safetensors"));
        using var actual = SafetensorsFile.Open(OutputPath);
        var prefix = name == "video_per_frame" ? "fixed." : "exact.";
        Assert.Equal(
            expected
                .Tensors.Values.Where(tensor =>
                    !tensor.Name.StartsWith("debug.", StringComparison.Ordinal) && !IsVariant(tensor.Name)
                )
                .Select(Entry)
                .Order(),
            actual.Tensors.Values.Select(Entry).Order()
        );
        foreach (var tensor in actual.Tensors.Keys)
        {
            if (actual.Tensors[tensor].DType == SafetensorsDType.I64)
            {
                if (tensor != "vision_block_grids" || prefix == "exact.")
                {
                    Assert.Equal(expected.ReadIntegers(tensor), actual.ReadIntegers(tensor));
                }
            }
            else if (tensor.StartsWith("candidate_logits", StringComparison.Ordinal))
            {
                var logits = expected.ReadSingles(tensor);
                FloatAssert.Equal(logits, actual.ReadSingles(tensor), 1e-6 * logits.Max(MathF.Abs), tensor);
            }
            else
            {
                FloatAssert.Equal(expected.ReadSingles(prefix + tensor), actual.ReadSingles(tensor), 2e-6, tensor);
            }
        }
    }

    [Fact]
    public async Task Maps_Json_PrintsTheSummaryAlone()
    {
        var run = await CommandRun.Of([
            "maps",
            Input("generate_top3"),
            "-o",
            OutputPath,
            "--json",
            "--repeat",
            "3",
            "--engine",
            "reference",
        ]);

        using var summary = JsonDocument.Parse(run.Output);
        var root = summary.RootElement;
        Assert.Equal(
            ["engine", "answerTokens", "maps", "seconds"],
            root.EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal("reference", root.GetProperty("engine").GetString());
        Assert.Equal(13, root.GetProperty("answerTokens").GetInt32());
        Assert.Equal(52, root.GetProperty("maps").GetInt32());
        Assert.Equal(
            ["load", "compute", "write"],
            root.GetProperty("seconds").EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal(3, root.GetProperty("seconds").GetProperty("compute").GetArrayLength());
        Assert.All(
            root.GetProperty("seconds").GetProperty("compute").EnumerateArray(),
            seconds => Assert.True(seconds.GetDouble() > 0)
        );
    }

    [Theory]
    [InlineData("--no-eci")]
    [InlineData("--no-filter")]
    [InlineData("--kernel", "5")]
    [InlineData("--profile", "paper")]
    [InlineData("--profile", "tuned")]
    public async Task Maps_Option_ChangesTheMaps(params string[] option)
    {
        var plain = _folder.File("plain.safetensors");
        Assert.Equal(0, (await CommandRun.Of(["maps", Input("generate_top3"), "-o", plain])).ExitCode);
        Assert.Equal(0, (await CommandRun.Of(["maps", Input("generate_top3"), "-o", OutputPath, .. option])).ExitCode);

        using var before = SafetensorsFile.Open(plain);
        using var after = SafetensorsFile.Open(OutputPath);
        Assert.NotEqual(before.ReadSingles("vision_maps.3.0"), after.ReadSingles("vision_maps.3.0"));
    }

    [Fact]
    public async Task Maps_TemporalMergeThatDoesNotFit_FailsInOneLine()
    {
        var run = await CommandRun.Of(["maps", Input("video_one_block_t3"), "-o", OutputPath, "--temporal-merge", "3"]);

        AssertNothingWritten(run, 3, "gives 1x6x8 cells");
    }

    [Theory]
    [InlineData(3, "kernel size 4", "--kernel", "4")]
    [InlineData(3, "kernel size 11", "--kernel", "11")]
    [InlineData(2, "--merge is -1", "--merge", "-1")]
    [InlineData(3, "multiples of the merge sizes", "--merge", "5")]
    [InlineData(2, "--temporal-merge is 0", "--temporal-merge", "0")]
    [InlineData(2, "-t is -1", "-t", "-1")]
    [InlineData(2, "'abc'", "--kernel", "abc")]
    [InlineData(2, "'best'", "--profile", "best")]
    [InlineData(2, "--repeat", "--repeat", "0")]
    [InlineData(2, "--nothing", "--nothing")]
    public async Task Maps_BadOption_FailsInOneLine(int exitCode, string message, params string[] option)
    {
        var run = await CommandRun.Of(["maps", Input("generate_top3"), "-o", OutputPath, .. option]);

        AssertNothingWritten(run, exitCode, message);
    }

    [Fact]
    public async Task Maps_MissingArguments_IsAUsageError()
    {
        (await CommandRun.Of(["maps", Input("generate_top3")])).AssertFails(2, "-o");
        (await CommandRun.Of(["maps", "-o", OutputPath])).AssertFails(2, "argument");
        (await CommandRun.Of(["mapps"])).AssertFails(2, "mapps");
    }

    [Fact]
    public async Task Maps_MissingFile_FailsInOneLine() =>
        AssertNothingWritten(
            await CommandRun.Of(["maps", _folder.File("none"), "-o", OutputPath]),
            3,
            "none: no such file"
        );

    [Fact]
    public async Task Maps_InputIsAFolder_FailsInOneLine() =>
        AssertNothingWritten(await CommandRun.Of(["maps", _folder.Path, "-o", OutputPath]), 3, _folder.Path);

    [Fact]
    public async Task Maps_OutputCannotBeWritten_FailsInOneLine()
    {
        AssertNothingWritten(
            await CommandRun.Of(["maps", Input("generate_top3"), "-o", _folder.Path]),
            3,
            "is a folder; name the file to write"
        );
        AssertNothingWritten(
            await CommandRun.Of(["maps", Input("generate_top3"), "-o", Path.Combine(_folder.Path, "a", "b")]),
            3,
            "there is no folder"
        );
    }

    [Fact]
    public async Task Maps_DamagedFile_FailsInOneLineAndKeepsTheOldOutput()
    {
        var damaged = _folder.File("damaged");
        File.WriteAllBytes(damaged, File.ReadAllBytes(Input("bf16"))[..5000]);
        File.WriteAllText(OutputPath, "old");

        (await CommandRun.Of(["maps", damaged, "-o", OutputPath])).AssertFails(3, "damaged: tensor");
        Assert.Equal("old", File.ReadAllText(OutputPath));
    }

    [Fact]
    public async Task Maps_NaNInTheHiddenStates_NamesThePosition()
    {
        var trace = TraceFile.Load(Input("encode_image"));
        var damaged = _folder.File("nan");
        TraceFile.Save(trace, damaged);
        var bytes = File.ReadAllBytes(damaged);
        using (var file = SafetensorsFile.Open(damaged))
        {
            var value =
                8
                + BitConverter.ToInt32(bytes)
                + (int)file.Tensors["hidden_state"].Offset
                + ((77 * trace.HiddenSize) + 5) * sizeof(float);
            BitConverter.TryWriteBytes(bytes.AsSpan(value), float.NaN);
        }

        File.WriteAllBytes(damaged, bytes);

        AssertNothingWritten(await CommandRun.Of(["maps", damaged, "-o", OutputPath]), 3, "position 77");
    }

    [Fact]
    public async Task Maps_Cancelled_Gives130()
    {
        var run = await CommandRun.Of(
            ["maps", Input("generate_top3"), "-o", OutputPath],
            new CancellationToken(canceled: true)
        );

        AssertNothingWritten(run, 130, "cancelled");
    }

    [Fact]
    public async Task Help_Always_ListsTheOptions()
    {
        var run = await CommandRun.Of(["maps", "--help"]);

        Assert.Equal(0, run.ExitCode);
        Assert.All(
            [
                "-o",
                "--profile",
                "--no-eci",
                "--no-filter",
                "--kernel",
                "--merge",
                "--temporal-merge",
                "--engine",
                "-t",
                "--repeat",
                "--json",
            ],
            option => Assert.Contains(option, run.Output, StringComparison.Ordinal)
        );
    }

    private static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx", name);

    private static string Input(string name) => Path.Combine(Folder(name), "input.safetensors");

    private static bool IsVariant(string name) => name.Split('.')[0] is "exact" or "fixed" or "bf16run";

    private static string Entry(SafetensorsTensor tensor) => $"{tensor.Name} {tensor.Describe()}";

    private void AssertNothingWritten(CommandRun run, int exitCode, string message)
    {
        run.AssertFails(exitCode, message);
        Assert.DoesNotContain(
            Directory.GetFiles(_folder.Path),
            path => path == OutputPath || path.EndsWith(".tmp", StringComparison.Ordinal)
        );
    }
}
