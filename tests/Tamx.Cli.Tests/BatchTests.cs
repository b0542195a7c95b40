using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Text.Json.Nodes;
using Parquet.Serialization;
using Tamx.Cli.Batch;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>Whole data sets: no row is lost, none is there twice, whatever happens between.</summary>
public sealed class BatchTests : IDisposable
{
    private const int Failed = 5;

    private readonly TemporaryFolder _folder = new();

    public BatchTests()
    {
        File.WriteAllBytes(_folder.File("a.png"), TestPictures.Gradient(64, 64).Encoded.ToArray());
        File.WriteAllBytes(_folder.File("b.png"), TestPictures.Gradient(96, 64).Encoded.ToArray());
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rows_KilledAtAnyMoment_AreThoseOfAnUnbrokenRun()
    {
        const int Shards = 2;
        const int Kills = 3;
        WriteRows(200);
        await RunAsync(0, "rows.jsonl", "-o", "whole");

        var kills = 0;
        for (var shard = 0; shard < Shards; shard++)
        {
            var part = _folder.File($"parts/shard-{shard:D5}-of-{Shards:D5}.tar.part");
            for (var least = 0L; ; )
            {
                using var batch = Start("rows.jsonl", "-o", "parts", "--shard", $"{shard}/{Shards}");
                while (kills < Kills && !batch.HasExited)
                {
                    // So each run gets a little further than the one before.
                    if (File.Exists(part) && new FileInfo(part).Length is var length && length > least + 30_000)
                    {
                        least = length;
                        kills++;
                        batch.Kill();
                        break;
                    }

                    await Task.Delay(1);
                }

                await batch.WaitForExitAsync();
                if (batch.ExitCode == 0)
                {
                    break;
                }

                Assert.Equal(137, batch.ExitCode);
            }
        }

        Assert.Equal(Kills, kills);
        await RunAsync(0, "--merge", "parts", "-o", "parts.tar");
        Assert.Equal(
            File.ReadAllBytes(_folder.File("whole/shard-00000-of-00001.tar")),
            File.ReadAllBytes(_folder.File("parts.tar"))
        );
        Assert.Equal(200, NamesIn("parts.tar").Count(name => name.EndsWith(".json", StringComparison.Ordinal)));
        Assert.Equal(
            ["manifest.json", "shard-00000-of-00002.done", "shard-00000-of-00002.tar"],
            Directory.GetFiles(_folder.File("parts")).Select(Path.GetFileName).Order(StringComparer.Ordinal).Take(3)
        );
    }

    /// <summary>Cut off anywhere, the part goes on after its last whole row.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(600)]
    [InlineData(5000)]
    [InlineData(20_000)]
    public async Task Part_CutOff_GoesOn(int bytes)
    {
        WriteRows(6);
        await RunAsync(0, "rows.jsonl", "-o", "out");
        var tar = _folder.File("out/shard-00000-of-00001.tar");
        var whole = File.ReadAllBytes(tar);
        File.Delete(tar);
        File.Delete(_folder.File("out/shard-00000-of-00001.done"));
        File.WriteAllBytes(tar + ".part", whole[..^bytes]);
        await RunAsync(0, "rows.jsonl", "-o", "out");
        Assert.Equal(whole, File.ReadAllBytes(tar));
        Assert.False(File.Exists(tar + ".part"));
    }

    [Fact]
    public async Task Workers_SideBySide_WriteWhatOneDoes()
    {
        WriteRows(7);
        await RunAsync(0, "rows.jsonl", "-o", "one");
        using var workers = Start("rows.jsonl", "-o", "two", "--workers", "2");
        await workers.WaitForExitAsync();
        Assert.Equal(0, workers.ExitCode);
        await RunAsync(0, "--merge", "two", "-o", "two.tar");
        Assert.Equal(
            File.ReadAllBytes(_folder.File("one/shard-00000-of-00001.tar")),
            File.ReadAllBytes(_folder.File("two.tar"))
        );
    }

    [Fact]
    public async Task Memory_IsSaidBeforeAndRefusedWhereItIsNotThere()
    {
        WriteRows(1);
        var run = await RunAsync(0, "rows.jsonl", "-o", "out");
        Assert.Contains("of weights, mapped; for 1,000 tokens it takes", run.Error, StringComparison.Ordinal);
        run = await RunAsync(0, "rows.jsonl", "-o", "out2", "-c", "512");
        Assert.Contains("for 512 tokens it takes", run.Error, StringComparison.Ordinal);
        run = await RunAsync(3, "rows.jsonl", "-o", "out3", "-c", "1000000000");
        Assert.Contains("use a smaller one (-c)", run.Error, StringComparison.Ordinal);
        run = await RunAsync(3, "rows.jsonl", "-o", "out4", "-c", "1000000000", "--workers", "2");
        Assert.Contains("(-c) or fewer workers (--workers)", run.Error, StringComparison.Ordinal);
        run = await RunAsync(3, "rows.jsonl", "-o", "out5", "-n", "2000000000");
        Assert.Contains("use fewer (-n)", run.Error, StringComparison.Ordinal);
        await RunAsync(0, "rows.jsonl", "-o", "out6", "-n", "-1");
    }

    [Fact]
    public async Task Worker_Killed_IsStartedAgainAndLosesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc.");
        WriteRows(40);
        await RunAsync(0, "rows.jsonl", "-o", "one");
        using var batch = Start("rows.jsonl", "-o", "two", "--workers", "2");
        var part = _folder.File("two/shard-00001-of-00002.tar.part");
        var kills = 0;
        for (var least = 0L; kills < 2 && !batch.HasExited; )
        {
            if (File.Exists(part) && new FileInfo(part).Length is var length && length > least + 30_000)
            {
                var children = ChildrenOf(batch.Id)
                    .Where(id => CommandLineOf(id).Contains("\01/2\0", StringComparison.Ordinal));
                foreach (var id in children)
                {
                    using var worker = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
                    worker.Kill();
                    kills++;
                    least = length;
                }
            }

            await Task.Delay(1);
        }

        await batch.WaitForExitAsync();
        Assert.Equal(0, batch.ExitCode);
        Assert.Equal(2, kills);
        await RunAsync(0, "--merge", "two", "-o", "two.tar");
        Assert.Equal(
            File.ReadAllBytes(_folder.File("one/shard-00000-of-00001.tar")),
            File.ReadAllBytes(_folder.File("two.tar"))
        );
    }

    /// <summary>A worker told of a row that ended two of its like writes an error in its place.</summary>
    [Fact]
    public async Task Worker_ToldOfAFatalRow_WritesAnErrorInItsPlace()
    {
        WriteRows(3);
        var start = ChildProcess.Describe(
            typeof(CommandLine).Assembly,
            ["batch", _folder.File("rows.jsonl"), "-o", _folder.File("out"), "-t", "1"]
        );
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        start.Environment["TAMX_BATCH_WORKER"] = "1";
        start.Environment["TAMX_BATCH_FATAL_ROW"] = "1";
        using var worker = Process.Start(start)!;
        var places = await worker.StandardOutput.ReadToEndAsync();
        await worker.WaitForExitAsync();
        Assert.Equal(Failed, worker.ExitCode);
        Assert.Equal(["0", "1", "2"], places.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var rows = Answers("out/shard-00000-of-00001.tar");
        Assert.Equal([1], rows.Where(row => row["error"] is not null).Select(row => (int)row["row"]!));
        Assert.Contains("two processes ended", (string)rows[1]["error"]!, StringComparison.Ordinal);
    }

    /// <summary>A shell stands for the worker: it says which rows it begins, and ends as one that crashes.</summary>
    [Theory]
    [InlineData("echo 0; exit 0", 0, 1)]
    [InlineData("echo 0; exit 3", 3, 1)]
    [InlineData("echo 0; exit 130", 130, 1)]
    [InlineData("kill -9 $$", 4, 2)]
    [InlineData("exit 1", 4, 2)]
    [InlineData("echo 3; kill -9 $$", 4, 5)]
    [InlineData("test \"$FATAL\" = 3 && { echo 3; echo 4; exit 5; }; echo 2; echo 3; kill -9 $$", 5, 3)]
    [InlineData("test \"$FATAL\" = 3 && exit 5; test $RUN = 2 && kill -9 $$; echo 3; exit 139", 5, 4)]
    [InlineData("test $RUN -gt 20 && exit 0; echo $RUN; kill -9 $$", 0, 21)]
    public async Task Worker_ThatDies_IsStartedAgainWithinBounds(string script, int exitCode, int runs)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs a shell.");
        var started = 0;
        using var error = new StringWriter();
        using var worker = new BatchWorker(
            "part",
            fatal =>
            {
                started++;
                return Process.Start(
                    new ProcessStartInfo("/bin/sh", ["-c", script])
                    {
                        RedirectStandardInput = true,
                        RedirectStandardOutput = true,
                        RedirectStandardError = true,
                        Environment = { ["FATAL"] = $"{fatal}", ["RUN"] = $"{started}" },
                    }
                )!;
            },
            error
        );
        Assert.Equal(exitCode, await worker.RunAsync(CancellationToken.None));
        Assert.Equal(runs, started);
        Assert.Equal(exitCode == 4, error.ToString().Contains("got no further", StringComparison.Ordinal));
    }

    /// <summary>Each is told with its row; the good ones between them are there.</summary>
    [Fact]
    public async Task Rows_ThatAreBad_AreRowsWithAnError()
    {
        string[] rows =
        [
            """{"id":"good","image":"a.png","answer":"A red cross."}""",
            """{"id":"missing","image":"none.png"}""",
            """{"id":"good","image":"b.png"}""",
            "no json",
            """{"id":"nothing"}""",
            """{"id":"both","messages":[],"prompt":"x"}""",
            """{"id":"odd","image":"a.png","prompt":7}""",
            $$"""{"id":"{{new string('x', 300)}}","image":"a.png"}""",
            """{"id":"a/../ü.b","messages":[{"role":"user","content":"x"}],"answer":"A red cross."}""",
        ];
        File.WriteAllLines(_folder.File("rows.jsonl"), rows);
        var run = await RunAsync(Failed, "rows.jsonl", "-o", "out");
        Assert.Contains("9 rows, 7 failed", run.Error, StringComparison.Ordinal);
        Assert.Contains("row 1, missing:", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);

        var results = Answers("out/shard-00000-of-00001.tar");
        Assert.Equal(Enumerable.Range(0, 9), results.Select(row => (int)row["row"]!));
        Assert.Equal([0, 8], results.Where(row => row["error"] is null).Select(row => (int)row["row"]!));
        Assert.Contains("same id", (string)results[2]["error"]!, StringComparison.Ordinal);
        Assert.Contains("a/%2E%2E/%C3%BC%2Eb.json", NamesIn("out/shard-00000-of-00001.tar"));
    }

    [Fact]
    public async Task Region_OfCommandLineAndRows_IsThatOfExplain()
    {
        const string Box = "0,0,0.5,0.5";
        string[] rows =
        [
            """{"image":"a.png","prompt":"What?","answer":"A red cross."}""",
            """{"image":"a.png","prompt":"What?","answer":"A red cross.","region":{"use":"keep","box":[0,0,0.5,0.5]}}""",
            """{"image":"a.png","prompt":"What?","region":{"use":"lookAt","box":[0,0,0.5,0.5],"alpha":60}}""",
            """{"image":["b.png","a.png"],"prompt":"What?","region":{"use":"hide","box":[0,0,1,1],"picture":1}}""",
        ];
        File.WriteAllLines(_folder.File("rows.jsonl"), rows);
        await RunAsync(0, "rows.jsonl", "-o", "out", "--hide", Box, "-n", "4");

        var results = Answers("out/shard-00000-of-00001.tar");
        string[][] alike =
        [
            ["--image", "a.png", "--answer", "A red cross.", "--hide", Box],
            ["--image", "a.png", "--answer", "A red cross.", "--keep", Box],
            ["--image", "a.png", "--look-at", Box, "--alpha", "60"],
            ["--image", "b.png", "a.png", "--hide", "1:0,0,1,1"],
        ];
        foreach (var (row, arguments) in results.Zip(alike))
        {
            var files = arguments.Select(each =>
                each.EndsWith(".png", StringComparison.Ordinal) ? _folder.File(each) : each
            );
            var run = await CommandRun.Of([
                "explain",
                .. files,
                .. (string[])["-p", "What?", "-n", "4", "-t", "1", "--json", "-o", _folder.File("report.html")],
            ]);
            Assert.True(run.ExitCode == 0, run.Error);
            var explained = JsonNode.Parse(run.Output)!;
            Assert.Equal(explained["words"]!.ToJsonString(), row["words"]!.ToJsonString());
            Assert.All(row["words"]!.AsArray(), word => Assert.NotNull(word!["regionChange"]));
            Assert.Equal(row["tokens"]!.AsArray().Count, row["region"]!["changes"]!.AsArray().Count);
        }

        Assert.Equal(["hide", "keep", "lookAt", "hide"], results.Select(row => (string)row["region"]!["use"]!));
        Assert.Equal([0, 0, 0, 1], results.Select(row => (int)row["region"]!["picture"]!));
        Assert.Equal([null, null, 60f, null], results.Select(row => (float?)row["region"]!["alpha"]));

        var other = await RunAsync(3, "rows.jsonl", "-o", "out", "--keep", Box, "-n", "4");
        Assert.Contains("completion.region", other.Error, StringComparison.Ordinal);
        await RunAsync(0, "rows.jsonl", "-o", "plain", "-n", "4");
        Assert.Null(Answers("plain/shard-00000-of-00001.tar")[0]["region"]);
    }

    [Theory]
    [InlineData("""7""", "region must be an object")]
    [InlineData("""{"use":"peek","box":[0,0,1,1]}""", "use must be hide, keep or lookAt")]
    [InlineData("""{"use":"hide"}""", "box must be left, top, right and bottom edge")]
    [InlineData("""{"use":"hide","box":[0,0,1,2]}""", "box must be left, top, right and bottom edge")]
    [InlineData("""{"use":"hide","box":[0,0,1,1],"alpha":5}""", "alpha is about lookAt")]
    [InlineData("""{"use":"lookAt","box":[0,0,1,1],"alpha":101}""", "alpha must be from 0 to 100")]
    [InlineData("""{"use":"hide","box":[0,0,1,1],"boxes":1}""", "boxes")]
    [InlineData("""{"use":"hide","box":[0,0,1,1],"picture":1}""", "there is no picture 1")]
    public async Task Region_OfARowThatIsNone_IsARowWithAnError(string region, string message)
    {
        string[] rows =
        [
            """{"image":"a.png","answer":"A red cross."}""",
            $$"""{"image":"a.png","answer":"A red cross.","region":{{region}}}""",
            """{"image":"a.png","answer":"A red cross.","region":null}""",
        ];
        File.WriteAllLines(_folder.File("rows.jsonl"), rows);
        await RunAsync(Failed, "rows.jsonl", "-o", "out");

        var results = Answers("out/shard-00000-of-00001.tar");
        Assert.Equal([true, false, true], results.Select(row => row["error"] is null));
        Assert.Contains(message, (string)results[1]["error"]!, StringComparison.Ordinal);
    }

    /// <summary>Questions of one picture, side by side and apart: what a row gives does not depend on it.</summary>
    [Fact]
    public async Task Rows_OfOnePicture_AreTheSameWhereverTheyStand()
    {
        string[] questions = ["What is this?", "Which colour has it?", "What is this?", "And where does it stand?"];
        var rows = questions
            .SelectMany(question => (string[])["a", "b"], (question, picture) => (question, picture))
            .OrderBy(row => row.picture, StringComparer.Ordinal)
            .Select((row, i) => (i, row.question, row.picture))
            .ToList();
        var together = rows.Select(Line);
        var apart = rows.OrderBy(row => row.question, StringComparer.Ordinal).ThenBy(row => row.i).Select(Line);
        File.WriteAllLines(_folder.File("together.jsonl"), together);
        File.WriteAllLines(_folder.File("apart.jsonl"), apart);
        await RunAsync(0, "together.jsonl", "-o", "one", "-n", "6");
        await RunAsync(0, "apart.jsonl", "-o", "two", "-n", "6");

        var (one, two) = (FilesIn("one"), FilesIn("two"));
        Assert.Equal(16, one.Count);
        Assert.Equal(one.Keys.Order(StringComparer.Ordinal), two.Keys.Order(StringComparer.Ordinal));
        Assert.All(one, file => Assert.Equal(file.Value, two[file.Key]));

        static string Line((int I, string Question, string Picture) row) =>
            $$"""{"id":"{{row.I}}","image":"{{row.Picture}}.png","prompt":"{{row.Question}}"}""";

        // A row's number is its place, which differs.
        Dictionary<string, string> FilesIn(string folder)
        {
            using var stream = File.OpenRead(_folder.File($"{folder}/shard-00000-of-00001.tar"));
            using var tar = new TarReader(stream);
            Dictionary<string, string> files = [];
            while (tar.GetNextEntry() is { } entry)
            {
                using var content = new MemoryStream();
                entry.DataStream!.CopyTo(content);
                var json = entry.Name.EndsWith(".maps.safetensors", StringComparison.Ordinal)
                    ? null
                    : JsonNode.Parse(content.ToArray())!.AsObject();
                json?.Remove("row");
                files[entry.Name] = json?.ToJsonString() ?? Convert.ToHexString(content.ToArray());
            }

            return files;
        }
    }

    [Fact]
    public async Task MaxErrors_MoreThanThat_EndsAndGoesOn()
    {
        File.WriteAllLines(_folder.File("rows.jsonl"), Enumerable.Repeat("""{"image":"none.png"}""", 5));
        var run = await RunAsync(3, "rows.jsonl", "-o", "out", "--max-errors", "1");
        Assert.Contains("--max-errors 1", run.Error, StringComparison.Ordinal);
        await RunAsync(Failed, "rows.jsonl", "-o", "out", "--max-errors", "9");
        Assert.Equal(5, Answers("out/shard-00000-of-00001.tar").Count);
    }

    [Fact]
    public async Task Folder_OfOtherResults_IsNotMixed()
    {
        WriteRows(2);
        await RunAsync(0, "rows.jsonl", "-o", "out", "--method=tam");
        var run = await RunAsync(3, "rows.jsonl", "-o", "out", "--method=tam", "--no-eci");
        Assert.True(
            run.Error.Contains("method.applyEci true where this run has false", StringComparison.Ordinal),
            run.Error
        );
        WriteRows(3);
        Assert.Contains("inputRows", (await RunAsync(3, "rows.jsonl", "-o", "out")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inputs_OfEachKind_AreRead()
    {
        Directory.CreateDirectory(_folder.File("photos/inner"));
        File.Copy(_folder.File("a.png"), _folder.File("photos/z.png"));
        File.Copy(_folder.File("b.png"), _folder.File("photos/inner/y.png"));
        await RunAsync(0, "photos", "-o", "o1", "-n", "3");
        Assert.Equal(["inner/y", "z"], Answers("o1/shard-00000-of-00001.tar").Select(row => (string)row["id"]!));

        using (var stream = File.Create(_folder.File("set.tar")))
        using (var tar = new TarWriter(stream))
        {
            foreach (
                var (name, content) in ((string, byte[])[])
                    [
                        ("000.png", File.ReadAllBytes(_folder.File("a.png"))),
                        ("000.txt", "What colour is the cross?"u8.ToArray()),
                        ("001.json", """{"prompt":"What?","answer":"A red cross."}"""u8.ToArray()),
                        ("001.png", File.ReadAllBytes(_folder.File("b.png"))),
                    ]
            )
            {
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }
                );
            }
        }

        await RunAsync(0, "set.tar", "-o", "o2", "-n", "3");
        var rows = Answers("o2/shard-00000-of-00001.tar");
        Assert.Equal(["000", "001"], rows.Select(row => (string)row["id"]!));
        Assert.Equal("A red cross.", (string)rows[1]["answer"]!);

        await using (var stream = File.Create(_folder.File("set.parquet")))
        {
            await ParquetSerializer.SerializeAsync(
                [
                    new ParquetRow
                    {
                        id = 7,
                        image = File.ReadAllBytes(_folder.File("a.png")),
                        prompt = "What?",
                    },
                    new ParquetRow { image = File.ReadAllBytes(_folder.File("b.png")), answer = "A red cross." },
                ],
                stream
            );
        }

        await RunAsync(0, "set.parquet", "-o", "o3", "-n", "3");
        rows = Answers("o3/shard-00000-of-00001.tar");
        Assert.Equal(["7", "00000001"], rows.Select(row => (string)row["id"]!));
        Assert.Equal("A red cross.", (string)rows[1]["answer"]!);
    }

    [Theory]
    [InlineData("bad.tar", "is no tar")]
    [InlineData("bad.parquet", "is no Parquet")]
    [InlineData("bad.jsonl", "no rows")]
    [InlineData("empty", "no pictures")]
    [InlineData("a.png", "a folder of pictures, or a file .jsonl")]
    [InlineData("none.jsonl", "no such file")]
    public async Task Input_ThatIsNone_IsOneLine(string name, string message)
    {
        Directory.CreateDirectory(_folder.File("empty"));
        File.WriteAllText(_folder.File("bad.tar"), new string('x', 2000));
        File.WriteAllText(_folder.File("bad.parquet"), new string('x', 2000));
        File.WriteAllText(_folder.File("bad.jsonl"), "\n \n");
        var run = await RunAsync(3, name, "-o", "out");
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public async Task Parquet_OfShards_HasTheMapsOfTheTar()
    {
        WriteRows(3);
        await RunAsync(0, "rows.jsonl", "-o", "out");
        await RunAsync(0, "--merge", "out", "-o", "all.parquet");
        await using var stream = File.OpenRead(_folder.File("all.parquet"));
        var table = await ParquetSerializer.DeserializeUntypedAsync(stream);
        Assert.Equal(3, table.Data.Count);
        var answers = Answers("out/shard-00000-of-00001.tar");
        Assert.Equal(answers.Select(row => (string?)row["answer"]), table.Data.Select(row => (string?)row["answer"]));
        var tensors = Content("out/shard-00000-of-00001.tar", "00000001.maps.safetensors");
        File.WriteAllBytes(_folder.File("maps.safetensors"), tensors);
        using var file = SafetensorsFile.Open(_folder.File("maps.safetensors"));
        Assert.Equal(
            file.ReadSingles("maps.0"),
            ((System.Collections.IEnumerable)table.Data[1]["maps"]!).Cast<object>().Select(value => (float)value)
        );
    }

    [Theory]
    [InlineData("0/4", 0, 4)]
    [InlineData("3/4", 3, 4)]
    [InlineData("4/4", null, null)]
    [InlineData("-1/4", null, null)]
    [InlineData("1", null, null)]
    [InlineData("1/0", null, null)]
    [InlineData("0/999999999", null, null)]
    public void Shard_OfText_IsReadOrRefused(string text, int? index, int? count) =>
        Assert.Equal(index is null ? null : new BatchShard(index.Value, count!.Value), BatchShard.Parse(text));

    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=4", 2, 4)]
    [InlineData("SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=4", 3, 4)]
    [InlineData("JOB_COMPLETION_INDEX=1 JOB_COMPLETIONS=8", 1, 8)]
    [InlineData("JOB_COMPLETION_INDEX=1", null, null)]
    [InlineData("SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=4", null, null)]
    public void Shard_OfAScheduler_IsItsPart(string variables, int? index, int? count)
    {
        var environment = variables
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(entry => entry.Split('='))
            .ToDictionary(entry => entry[0], entry => entry[1]);
        if (index is null)
        {
            var fault = Assert.Throws<InvalidInputException>(() =>
                BatchShard.OfScheduler(environment.GetValueOrDefault)
            );
            Assert.Contains("--shard", fault.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(new BatchShard(index.Value, count!.Value), BatchShard.OfScheduler(environment.GetValueOrDefault));
    }

    /// <summary>The sample's script and manifest, with stand-ins for what a scheduler sets.</summary>
    [Fact]
    public async Task Cluster_ScriptAndManifest_DivideTheRows()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs a shell.");
        WriteRows(5);
        File.Copy(DemoFiles.Model, _folder.File("model.gguf"));
        File.Copy(DemoFiles.Projector, _folder.File("mmproj.gguf"));
        var tamx = _folder.File("tamx");
        File.WriteAllText(
            tamx,
            $"#!/bin/sh\nexec '{ChildProcess.Dotnet}' '{typeof(CommandLine).Assembly.Location}' \"$@\"\n"
        );
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(tamx, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        for (var i = 0; i < 2; i++)
        {
            var run = await CommandRun.OfProgram(
                "/bin/sh",
                [Cluster("slurm.sh")],
                _folder.Path,
                ("DATA", _folder.Path),
                ("PATH", $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}"),
                ("SLURM_ARRAY_TASK_ID", $"{i + 3}"),
                ("SLURM_ARRAY_TASK_MIN", "3"),
                ("SLURM_ARRAY_TASK_COUNT", "2"),
                ("SLURM_CPUS_PER_TASK", "1")
            );
            Assert.True(run.ExitCode == 0, run.Error);
        }

        await RunAsync(0, "--merge", "out", "-o", "slurm.tar");
        Directory.Delete(_folder.File("out"), recursive: true);
        var line = File.ReadLines(Cluster("job.yaml")).Single(line => line.TrimStart().StartsWith("args: ["));
        string[] arguments =
        [
            .. JsonNode
                .Parse(line.Replace("args:", "", StringComparison.Ordinal))!
                .AsArray()
                .Select(argument =>
                    ((string)argument!).Replace("/data/", _folder.Path + "/", StringComparison.Ordinal)
                ),
        ];
        for (var i = 0; i < 2; i++)
        {
            var run = await CommandRun.OfProgram(
                tamx,
                [.. arguments, "-t", "1"],
                _folder.Path,
                ("JOB_COMPLETION_INDEX", $"{i}"),
                ("JOB_COMPLETIONS", "2")
            );
            Assert.True(run.ExitCode == 0, run.Error);
        }

        await RunAsync(0, "--merge", "out", "-o", "kubernetes.tar");
        Assert.Equal(Enumerable.Range(0, 5), Answers("slurm.tar").Select(row => (int)row["row"]!));
        Assert.Equal(File.ReadAllBytes(_folder.File("slurm.tar")), File.ReadAllBytes(_folder.File("kubernetes.tar")));

        static string Cluster(string name) => Path.Combine(AppContext.BaseDirectory, "cluster", name);
    }

    private void WriteRows(int count) =>
        File.WriteAllLines(
            _folder.File("rows.jsonl"),
            Enumerable
                .Range(0, count)
                .Select(i =>
                    $$"""{"image":"{{(i % 3 == 0 ? "b" : "a")}}.png","answer":"A red cross{{(i % 2 == 0 ? "." : "")}}"}"""
                )
        );

    private async Task<CommandRun> RunAsync(int exitCode, params string[] arguments)
    {
        string[] options = arguments.Contains("--merge") ? [] : ["-t", "1"];
        var run = await CommandRun.Of([
            "batch",
            .. arguments.Select(argument => IsPath(argument) ? _folder.File(argument) : argument),
            .. options,
        ]);
        Assert.True(exitCode == run.ExitCode, run.Error);
        return run;
    }

    private Process Start(params string[] arguments)
    {
        var start = ChildProcess.Describe(
            typeof(CommandLine).Assembly,
            ["batch", .. arguments.Select(argument => IsPath(argument) ? _folder.File(argument) : argument), "-t", "1"]
        );
        return Process.Start(start)!;
    }

    private static IEnumerable<string> ChildrenOf(int id) =>
        Directory
            .GetDirectories($"/proc/{id}/task")
            .Select(task => Path.Combine(task, "children"))
            .Where(File.Exists)
            .SelectMany(file => File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The command line of a process, or nothing where it has ended.</summary>
    private static string CommandLineOf(string id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static bool IsPath(string argument) =>
        !argument.StartsWith('-') && !argument.All(c => char.IsAsciiDigit(c) || c is '/' or ',' or '.');

    private List<JsonNode> Answers(string tar) =>
        [
            .. NamesIn(tar)
                .Where(name => name.EndsWith(".json", StringComparison.Ordinal))
                .Select(name => JsonNode.Parse(Content(tar, name))!),
        ];

    private List<string> NamesIn(string tar) =>
        [.. ShardRow.ReadAll(_folder.File(tar)).SelectMany(row => row.Files).Select(file => file.Name)];

    private byte[] Content(string tar, string name) =>
        ShardRow.ReadAll(_folder.File(tar)).SelectMany(row => row.Files).Single(file => file.Name == name).Content;

#pragma warning disable IDE1006 // The file's columns.
    private sealed class ParquetRow
    {
        public long? id { get; set; }

        public byte[]? image { get; set; }

        public string? prompt { get; set; }

        public string? answer { get; set; }
    }
#pragma warning restore IDE1006
}
