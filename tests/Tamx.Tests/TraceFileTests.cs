using System.Runtime.InteropServices;
using System.Text;
using Tamx.Llama;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

public sealed class TraceFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("trace.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_GridsThatDoNotFit_CanBeToldInTheCallersWords()
    {
        TraceFile.Save(Create([.. User([.. Image(8), 1]), .. Assistant(4)], [new(1, 6, 12)]), Path);

        var options = new TamOptions { MergeSize = 2 };
        var fault = Assert.Throws<TraceFormatException>(() => ActivationMaps.Compute(TraceFile.Load(Path), options));

        Assert.EndsWith("is the merge size right (MergeSize)?", fault.Message, StringComparison.Ordinal);
        var told = fault.Describe(setting => setting.Property == "MergeSize" ? "--merge" : null);
        Assert.Equal(fault.Message.Replace("MergeSize", "--merge", StringComparison.Ordinal), told);
        Assert.StartsWith(Path, told, StringComparison.Ordinal);
    }

    /// <summary>
    /// 85 MB of states, and as many of a layer: none is held, and the maps are those of states in memory. Nothing but
    /// the computation holds the trace while garbage is collected.
    /// </summary>
    [Fact]
    public async Task Load_LargeStates_StayInTheirFile()
    {
        const int Size = 4096;
        const int Side = 72;
        int[] ids = [.. User([.. Image(Side * Side), 1]), .. Assistant(4, 5)];
        int[] outputIds = [.. ids.Distinct().Order()];
        var trace = new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = Size,
            HiddenStates = Values(7, (ids.Length - 1) * Size),
            Layers = [new LayerStates(0, Values(8, (ids.Length - 1) * Size))],
            OutputIds = [.. outputIds],
            OutputRows = Values(9, outputIds.Length * Size),
            ImageGrids = [new PatchGrid(1, 2 * Side, 2 * Side)],
        };
        TraceFile.Save(trace, Path);

        var size = TraceFile.Measure(Path);
        Assert.Equal(2L * sizeof(float) * (ids.Length - 1) * Size, size.MappedBytes);
        Assert.InRange(size.HeldBytes, sizeof(float) * outputIds.Length * Size, 1_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var loaded = TraceFile.Load(Path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5_000_000);
        Assert.True(trace.HiddenStates.Span.SequenceEqual(loaded.HiddenStates.Span));
        Assert.True(trace.Layers[0].HiddenStates.Span.SequenceEqual(loaded.Layers[0].HiddenStates.Span));
        GC.KeepAlive(loaded);

        using var stop = new CancellationTokenSource();
        var collecting = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        foreach (var layer in (int[])[-1, 0])
        {
            var options = new TamOptions { Layer = layer };
            MapAssert.Equal(
                ActivationMaps.Compute(trace, options),
                ActivationMaps.Compute(TraceFile.Load(Path), options),
                0
            );
        }

        await stop.CancelAsync();
        await collecting;
        TraceFile.Save(TraceFile.Load(Path), _folder.File("again.safetensors"));
        Assert.Equal(File.ReadAllBytes(Path), File.ReadAllBytes(_folder.File("again.safetensors")));
    }

    [Fact]
    public void Save_ThenLoad_GivesEverythingBack()
    {
        var plain = SmallTrace();
        var trace = new Trace
        {
            TokenIds = plain.TokenIds,
            HiddenSize = plain.HiddenSize,
            HiddenStates = plain.HiddenStates,
            OutputIds = plain.OutputIds,
            OutputRows = plain.OutputRows,
            ImageGrids = plain.ImageGrids,
            CandidateIds = plain.CandidateIds,
            CandidateProbabilities =
            [
                [0.5f, 0.25f],
                [0.75f, 0.125f],
            ],
            AnswerProbabilities = [0.5f, 0.75f],
            RegionChanges = [-2, 0.25f],
            Markers = MarkerIds.QwenPublished with { Newline = 199 },
            OutputTexts =
            [
                .. plain.OutputIds.Select(id => id == 2 ? [0xC3] : Encoding.UTF8.GetBytes($"</script> ä{id}")),
            ],
            Pictures =
            [
                new TracePicture(0, 0, "image/png", new byte[] { 1, 2, 3 }, 640, 480, Name: "a \"b\".png"),
                new TracePicture(0, 1, "image/jpeg", new byte[] { 4 }, 1, 2, 0.5),
            ],
            Run = new RunInfo
            {
                Model = "m",
                Temperature = 0.5f,
                Seed = uint.MaxValue,
                Region = new PictureRegion
                {
                    Use = RegionUse.LookAt,
                    Box = new RegionBox(0, 0.125, 1d / 3, 1),
                    PictureIndex = 2,
                    Alpha = 1.5f,
                },
                Seconds = new Dictionary<string, double> { ["load"] = 1.5 },
            },
        };

        TraceFile.Save(trace, Path);
        var loaded = TraceFile.Load(Path);

        Assert.Equal(trace.TokenIds.AsSpan(), loaded.TokenIds.AsSpan());
        Assert.Equal(trace.HiddenSize, loaded.HiddenSize);
        Assert.Equal(trace.HiddenStates.ToArray(), loaded.HiddenStates.ToArray());
        Assert.Equal(trace.OutputIds.AsSpan(), loaded.OutputIds.AsSpan());
        Assert.Equal(trace.OutputRows.ToArray(), loaded.OutputRows.ToArray());
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        Assert.Empty(loaded.VideoGrids);
        Assert.Equal(trace.CandidateIds, loaded.CandidateIds);
        Assert.Equal(trace.CandidateProbabilities, loaded.CandidateProbabilities);
        Assert.Equal(trace.AnswerProbabilities, loaded.AnswerProbabilities);
        Assert.Equal(trace.RegionChanges, loaded.RegionChanges);
        Assert.Equal(trace.Markers, loaded.Markers);
        Assert.Equal(
            trace.OutputTexts!.Select(text => text.ToArray()),
            loaded.OutputTexts!.Select(text => text.ToArray())
        );
        Assert.Equal(
            trace.Pictures.Select(picture => picture with { Bytes = default }),
            loaded.Pictures.Select(picture => picture with { Bytes = default })
        );
        Assert.Equal(
            trace.Pictures.Select(picture => picture.Bytes.ToArray()),
            loaded.Pictures.Select(picture => picture.Bytes.ToArray())
        );
        Assert.Equal(trace.Run with { Seconds = loaded.Run.Seconds }, loaded.Run);
        Assert.Equal(trace.Run.Seconds, loaded.Run.Seconds);
    }

    [Fact]
    public void Load_BatchAxisEverywhere_IsDropped()
    {
        var trace = SmallTrace();
        WriteParts(writer =>
        {
            writer.AddSingles("hidden_state", trace.HiddenStates, 1, trace.HiddenRowCount, HiddenSize);
            writer.AddIntegers("generated_ids", ToInt64(trace.TokenIds.ToArray()), 1, trace.TokenIds.Length);
            writer.AddIntegers("lm_head_ids", ToInt64(trace.OutputIds.ToArray()), 1, trace.OutputIds.Length);
            writer.AddSingles("lm_head_rows", trace.OutputRows, 1, trace.OutputIds.Length, HiddenSize);
            writer.AddIntegers("image_grid_thw", [1, 4, 6], 1, 1, 3);
            writer.AddSingles("video_grid_thw", Array.Empty<float>(), 0);
            writer.AddIntegers("candidate_ids_per_step", [7, 8, 9, 4], 1, 2, 2);
        });

        var loaded = TraceFile.Load(Path);

        Assert.Equal(trace.HiddenStates.ToArray(), loaded.HiddenStates.ToArray());
        Assert.Equal(trace.CandidateIds, loaded.CandidateIds);
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        Assert.Empty(loaded.VideoGrids);
    }

    [Fact]
    public void Load_DoublePrecisionBesideOtherDTypes_EqualsItsRoundedValues()
    {
        var trace = SmallTrace();
        double[] states = [.. trace.HiddenStates.ToArray().Select(value => value + 1e-12)];
        (string Name, string DType, string Shape, byte[] Bytes)[] parts =
        [
            (
                "hidden_state",
                "F64",
                $"{trace.HiddenRowCount},{HiddenSize}",
                MemoryMarshal.AsBytes<double>(states).ToArray()
            ),
            ("position_ids", "U16", "3", new byte[6]),
            (
                "lm_head_rows",
                "F32",
                $"{trace.OutputIds.Length},{HiddenSize}",
                MemoryMarshal.AsBytes<float>(trace.OutputRows.Span).ToArray()
            ),
            (
                "generated_ids",
                "I32",
                $"{trace.TokenIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.TokenIds.AsSpan()).ToArray()
            ),
            (
                "lm_head_ids",
                "I32",
                $"{trace.OutputIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.OutputIds.AsSpan()).ToArray()
            ),
            ("pixel_values", "F8_E4M3FN", "2,5", new byte[10]),
        ];
        WriteFile(parts);

        var loaded = TraceFile.Load(Path);

        Assert.Equal(states.Select(value => (float)value), loaded.HiddenStates.ToArray());
    }

    [Fact]
    public void Load_NeededTensorOfAnotherDType_NamesIt()
    {
        var trace = SmallTrace();
        (string Name, string DType, string Shape, byte[] Bytes)[] parts =
        [
            (
                "hidden_state",
                "I16",
                $"{trace.HiddenRowCount},{HiddenSize}",
                new byte[trace.HiddenRowCount * HiddenSize * 2]
            ),
            (
                "lm_head_rows",
                "F32",
                $"{trace.OutputIds.Length},{HiddenSize}",
                MemoryMarshal.AsBytes<float>(trace.OutputRows.Span).ToArray()
            ),
            (
                "generated_ids",
                "I32",
                $"{trace.TokenIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.TokenIds.AsSpan()).ToArray()
            ),
            (
                "lm_head_ids",
                "I32",
                $"{trace.OutputIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.OutputIds.AsSpan()).ToArray()
            ),
        ];
        WriteFile(parts);

        var exception = Assert.Throws<TraceFormatException>(() => TraceFile.Load(Path));

        Assert.Contains("hidden_state is I16", exception.Message, StringComparison.Ordinal);
        Assert.Contains("F64 is needed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_HalfPrecision_EqualsItsWidenedValues()
    {
        var trace = SmallTrace();
        Half[] states = [.. trace.HiddenStates.ToArray().Select(value => (Half)value)];
        Half[] rows = [.. trace.OutputRows.ToArray().Select(value => (Half)value)];
        (string Name, string DType, string Shape, byte[] Bytes)[] parts =
        [
            (
                "hidden_state",
                "F16",
                $"{trace.HiddenRowCount},{HiddenSize}",
                MemoryMarshal.AsBytes<Half>(states).ToArray()
            ),
            (
                "lm_head_rows",
                "F16",
                $"{trace.OutputIds.Length},{HiddenSize}",
                MemoryMarshal.AsBytes<Half>(rows).ToArray()
            ),
            (
                "generated_ids",
                "I32",
                $"{trace.TokenIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.TokenIds.AsSpan()).ToArray()
            ),
            (
                "lm_head_ids",
                "I32",
                $"{trace.OutputIds.Length}",
                MemoryMarshal.AsBytes<int>(trace.OutputIds.AsSpan()).ToArray()
            ),
        ];
        WriteFile(parts);

        var loaded = TraceFile.Load(Path);

        Assert.Equal(states.Select(value => (float)value), loaded.HiddenStates.ToArray());
        Assert.Equal(rows.Select(value => (float)value), loaded.OutputRows.ToArray());
        Assert.Equal(trace.TokenIds.AsSpan(), loaded.TokenIds.AsSpan());
    }

    /// <summary>Files from before the machine's options were apart from the method's hold some of them.</summary>
    [Fact]
    public void Load_OptionsOfTheMachineInTheMetadata_AreIgnored()
    {
        WriteParts(writer =>
        {
            AddParts(writer, SmallTrace(), candidates: ([], [2, 0]));
            writer.Metadata["tamx.options"] =
                "{\"engine\":\"ilgpu\",\"device\":\"CUDA7\",\"threadCount\":-3,\"maxDeviceBytes\":1}";
        });

        Assert.Equal(2, ActivationMaps.Compute(TraceFile.Load(Path)).Answer.Count);
    }

    [Fact]
    public void Load_CandidatesOfNoWidth_StillMarkTheAnswer()
    {
        var trace = SmallTrace();
        WriteParts(writer => AddParts(writer, trace, candidates: ([], [2, 0])));

        Assert.Equal(2, ActivationMaps.Compute(TraceFile.Load(Path)).Answer.Count);
    }

    [Theory]
    [InlineData("hidden_state", "hidden_state is missing")]
    [InlineData("generated_ids", "generated_ids is missing")]
    [InlineData("lm_head_ids", "lm_head_ids is missing")]
    [InlineData("lm_head_rows", "lm_head_rows is missing")]
    public void Load_MissingTensor_NamesIt(string left, string message)
    {
        var trace = SmallTrace();
        WriteParts(writer => AddParts(writer, trace, leaveOut: left));

        Throws(message);
    }

    public static TheoryData<string> Faults => [.. FaultyParts.Keys];

    private static Dictionary<string, Action<SafetensorsWriter, Trace>> FaultyParts =>
        new()
        {
            ["hidden_state is I64"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "hidden_state",
                    w =>
                        w.AddIntegers(
                            "hidden_state",
                            new long[trace.HiddenStates.Length],
                            trace.HiddenRowCount,
                            HiddenSize
                        )
                ),
            ["hidden_state is F32 ["] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "hidden_state",
                    w => w.AddSingles("hidden_state", trace.HiddenStates, trace.HiddenRowCount, 2, HiddenSize / 2)
                ),
            ["axis of length 0"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "hidden_state",
                    w => w.AddSingles("hidden_state", Array.Empty<float>(), trace.HiddenRowCount, 0)
                ),
            ["hidden_state has 3 rows"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "hidden_state",
                    w => w.AddSingles("hidden_state", trace.HiddenStates[..(3 * HiddenSize)], 3, HiddenSize)
                ),
            ["NaN or an infinity at position 1"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "hidden_state",
                    w =>
                        w.AddSingles(
                            "hidden_state",
                            WithNaN(trace.HiddenStates.ToArray(), HiddenSize),
                            trace.HiddenRowCount,
                            HiddenSize
                        )
                ),
            ["NaN or an infinity in the row of token id 1"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "lm_head_rows",
                    w =>
                        w.AddSingles(
                            "lm_head_rows",
                            WithNaN(trace.OutputRows.ToArray(), 0),
                            trace.OutputIds.Length,
                            HiddenSize
                        )
                ),
            ["generated_ids is F32"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "generated_ids",
                    w => w.AddSingles("generated_ids", new float[trace.TokenIds.Length])
                ),
            ["generated_ids holds -5 at index 0"] = (writer, trace) =>
                AddParts(writer, trace, "generated_ids", w => w.AddIntegers("generated_ids", [-5L])),
            ["generated_ids is empty"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "generated_ids",
                    w => w.AddIntegers("generated_ids", Array.Empty<long>()),
                    candidates: ([], [0])
                ),
            ["lm_head_ids is not ascending at index 1"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "lm_head_ids",
                    w => w.AddIntegers("lm_head_ids", [.. ToInt64(trace.OutputIds.ToArray()).Reverse()])
                ),
            ["lm_head_rows is ["] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    "lm_head_rows",
                    w =>
                        w.AddSingles(
                            "lm_head_rows",
                            trace.OutputRows[HiddenSize..],
                            trace.OutputIds.Length - 1,
                            HiddenSize
                        )
                ),
            ["rows of 3"] = (writer, trace) =>
                AddParts(writer, trace, "image_grid_thw", w => w.AddIntegers("image_grid_thw", [1L, 4], 1, 2)),
            ["image_grid_thw holds -1"] = (writer, trace) =>
                AddParts(writer, trace, "image_grid_thw", w => w.AddIntegers("image_grid_thw", [1L, 4, -1], 1, 3)),
            ["image_grid_thw is F32"] = (writer, trace) =>
                AddParts(writer, trace, "image_grid_thw", w => w.AddSingles("image_grid_thw", [1f, 4, 6], 1, 3)),
            ["holds the id 777 at step 1"] = (writer, trace) =>
                AddParts(writer, trace, candidates: ([7, 8, 777, 4], [2, 2])),
            ["candidate_ids_per_step is I64 [4]"] = (writer, trace) =>
                AddParts(writer, trace, candidates: ([7, 8, 9, 4], [4])),
            ["more steps than"] = (writer, trace) => AddParts(writer, trace, candidates: ([], [1L << 40, 0])),
            ["tamx.candidate_probabilities must have the shape"] = (writer, trace) =>
                AddParts(writer, trace, more: w => w.AddSingles("tamx.candidate_probabilities", [1f, 1f], 1, 2)),
            ["tamx.answer_probabilities has 1"] = (writer, trace) =>
                AddParts(writer, trace, more: w => w.AddSingles("tamx.answer_probabilities", [1f])),
            ["tamx.region_changes has 1"] = (writer, trace) =>
                AddParts(writer, trace, more: w => w.AddSingles("tamx.region_changes", [1f])),
            ["tamx.region_changes holds NaN"] = (writer, trace) =>
                AddParts(writer, trace, more: w => w.AddSingles("tamx.region_changes", [1f, float.NaN])),
            ["tamx.run: Region: the box 0, 0, 2, 1"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    more: w =>
                        w.Metadata["tamx.run"] = "{\"region\":{\"use\":\"keep\",\"box\":{\"right\":2,\"bottom\":1}}}"
                ),
            ["tamx.token_text_ends holds 9"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    more: w =>
                    {
                        w.AddBytes("tamx.token_text_bytes", [65, 66]);
                        w.AddIntegers("tamx.token_text_ends", [1L, 9L]);
                    }
                ),
            ["2 token texts"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    more: w =>
                    {
                        w.AddBytes("tamx.token_text_bytes", [65, 66]);
                        w.AddIntegers("tamx.token_text_ends", [1L, 2L]);
                    }
                ),
            ["metadata tamx.markers"] = (writer, trace) =>
                AddParts(writer, trace, more: w => w.Metadata["tamx.markers"] = """{"turnStart":1}"""),
            ["metadata tamx.run"] = (writer, trace) => AddParts(writer, trace, more: w => w.Metadata["tamx.run"] = "["),
            ["metadata tamx.pictures: entry 0"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    more: w =>
                        w.Metadata["tamx.pictures"] =
                            """[{"block":0,"frame":0,"mediaType":"text/html","width":1,"height":1}]"""
                ),
            ["tamx.picture.0 is missing"] = (writer, trace) =>
                AddParts(
                    writer,
                    trace,
                    more: w =>
                        w.Metadata["tamx.pictures"] =
                            """[{"block":0,"frame":0,"mediaType":"image/png","width":1,"height":1}]"""
                ),
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Load_FaultyPart_NamesIt(string message)
    {
        var trace = SmallTrace();
        WriteParts(writer => FaultyParts[message](writer, trace));

        Throws(message);
    }

    [Fact]
    public void Compute_NoCandidateSteps_NamesFileAndFault()
    {
        var trace = SmallTrace();
        WriteParts(writer => AddParts(writer, trace, candidates: ([], [0, 3])));

        var exception = Assert.Throws<TraceFormatException>(() => ActivationMaps.Compute(TraceFile.Load(Path)));

        Assert.StartsWith($"{Path}: 0 generated tokens", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compute_TextTokenWithoutRow_NamesIdAndPosition()
    {
        var trace = SmallTrace();
        var dropped = trace.OutputIds.IndexOf(2);
        WriteParts(writer =>
        {
            AddParts(
                writer,
                trace,
                "lm_head_ids",
                w => w.AddIntegers("lm_head_ids", [.. ToInt64(trace.OutputIds.ToArray()).Where(id => id != 2)]),
                leaveOut: "lm_head_rows"
            );
            writer.AddSingles(
                "lm_head_rows",
                [
                    .. trace.OutputRows[..(dropped * HiddenSize)].Span,
                    .. trace.OutputRows[((dropped + 1) * HiddenSize)..].Span,
                ],
                trace.OutputIds.Length - 1,
                HiddenSize
            );
        });

        var exception = Assert.Throws<TraceFormatException>(() => ActivationMaps.Compute(TraceFile.Load(Path)));

        Assert.Contains(
            $"lacks the id 2 at position {trace.TokenIds.IndexOf(2)}",
            exception.Message,
            StringComparison.Ordinal
        );
    }

    private static Trace SmallTrace() =>
        Create(
            [.. User([1, .. Image(6), 2]), .. Generated(4, 5)],
            [new PatchGrid(1, 4, 6)],
            candidates:
            [
                [7, 8],
                [9, 4],
            ]
        );

    private static float[] WithNaN(float[] values, int index)
    {
        float[] copy = [.. values];
        copy[index] = float.NaN;
        return copy;
    }

    private static long[] ToInt64(int[] values) => Array.ConvertAll(values, value => (long)value);

    /// <summary>Adds the tensors of a dump, one of them replaced or left out.</summary>
    private static void AddParts(
        SafetensorsWriter writer,
        Trace trace,
        string? replaced = null,
        Action<SafetensorsWriter>? replacement = null,
        string? leaveOut = null,
        (long[] Ids, long[] Shape)? candidates = null,
        Action<SafetensorsWriter>? more = null
    )
    {
        var (ids, shape) = candidates ?? ([7, 8, 9, 4], [2, 2]);
        var parts = new Dictionary<string, Action>
        {
            ["hidden_state"] = () =>
                writer.AddSingles("hidden_state", trace.HiddenStates, trace.HiddenRowCount, HiddenSize),
            ["generated_ids"] = () => writer.AddIntegers("generated_ids", ToInt64(trace.TokenIds.ToArray())),
            ["lm_head_ids"] = () => writer.AddIntegers("lm_head_ids", ToInt64(trace.OutputIds.ToArray())),
            ["lm_head_rows"] = () =>
                writer.AddSingles("lm_head_rows", trace.OutputRows, trace.OutputIds.Length, HiddenSize),
            ["image_grid_thw"] = () => writer.AddIntegers("image_grid_thw", [1, 4, 6], 1, 3),
            ["candidate_ids_per_step"] = () => writer.AddIntegers("candidate_ids_per_step", ids, shape),
        };
        foreach (var (name, add) in parts.Where(part => part.Key != replaced && part.Key != leaveOut))
        {
            add();
        }

        replacement?.Invoke(writer);
        more?.Invoke(writer);
    }

    private void WriteFile((string Name, string DType, string Shape, byte[] Bytes)[] parts)
    {
        var entries = new List<string>();
        var offset = 0;
        foreach (var (name, dtype, shape, bytes) in parts)
        {
            entries.Add(
                $$"""
                "{{name}}":{"dtype":"{{dtype}}","shape":[{{shape}}],"data_offsets":[{{offset}},{{offset +=
                    bytes.Length}}]}
                """
            );
        }

        var header = Encoding.UTF8.GetBytes("{" + string.Join(',', entries) + "}");
        File.WriteAllBytes(
            Path,
            [.. BitConverter.GetBytes((long)header.Length), .. header, .. parts.SelectMany(part => part.Bytes)]
        );
    }

    private void WriteParts(Action<SafetensorsWriter> add)
    {
        var writer = new SafetensorsWriter();
        add(writer);
        writer.Write(Path);
    }

    private void Throws(string message)
    {
        var exception = Assert.Throws<TraceFormatException>(() => TraceFile.Load(Path));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.StartsWith(Path, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
