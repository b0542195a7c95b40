using System.Text;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Dumps of vLLM and SGLang, as their documentation and examples describe them, give the run's own maps.</summary>
public sealed class ServerDumpTests : IDisposable
{
    private static readonly ModelFiles Files = TestModels.Qwen3VlUntied;

    private readonly TemporaryFolder _folder = new();

    private string Dump => _folder.File("dump.safetensors");

    private string Json => _folder.File("dump.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, 1e-4)]
    [InlineData(true, 0.1)]
    public async Task Load_DumpOfVllm_GivesTheRunsMaps(bool isHalf, double tolerance)
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf);
        var loaded = TraceFile.Load(
            Dump,
            Files.ModelPath,
            ServerDumps.Options(trace) with
            {
                DumpLayers = [0, ServerDumps.LayerCount - 1],
            }
        );

        Assert.Equal(trace.TokenIds, loaded.TokenIds);
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        FloatAssert.Equal(trace.HiddenStates.Span, loaded.HiddenStates.Span, isHalf ? 0.06 : 1e-4, "hidden state");
        FloatAssert.Equal(
            trace.Layers.Single().HiddenStates.Span,
            loaded.Layers.Single().HiddenStates.Span,
            isHalf ? 0.06 : 1e-4,
            "layer 0"
        );
        AssertMaps(trace, loaded, tolerance);
    }

    [Fact]
    public async Task Load_DumpOfVllmWithoutItsLayersNamed_ReadsTheLast()
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        var loaded = TraceFile.Load(Dump, Files.ModelPath, ServerDumps.Options(trace));
        Assert.Empty(loaded.Layers);
        AssertMaps(trace, loaded, 1e-4);
    }

    /// <summary>The server tells one token for the picture, or all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Load_AnswerOfSglang_GivesTheRunsMaps(bool isExpanded)
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteSglang(Json, trace, isExpanded, withInput: true);
        var loaded = TraceFile.Load(Json, Files.ModelPath, ServerDumps.Options(trace));
        Assert.Equal(trace.TokenIds, loaded.TokenIds);
        AssertMaps(trace, loaded, 1e-5);
    }

    [Fact]
    public async Task Load_WithThePicture_FindsItsGridAndShowsIt()
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        var picture = _folder.File("picture.png");
        File.WriteAllBytes(picture, TestPictures.Gradient(128, 96).Encoded.ToArray());
        var loaded = TraceFile.Load(Dump, Files.ModelPath, new DumpOptions { Pictures = [picture] });
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        Assert.Equal((128, 96), (loaded.Pictures[0].Width, loaded.Pictures[0].Height));
    }

    /// <summary>An axis of 300,000 layers: 8 GB, most of which are holes. Two layers are read.</summary>
    [Fact]
    public async Task Load_DumpOfEightGigabytes_ReadsTheLayersThatAreNeeded()
    {
        var trace = await ServerDumps.Run.Value;
        const int Layers = 300_000;
        var (rows, size) = (trace.HiddenRowCount, trace.HiddenSize);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs sparse files.");
        var bytes = (long)rows * Layers * size * sizeof(float);
        Assert.True(bytes > 8_000_000_000, $"{bytes}");
        var states = ServerDumps.Residual(trace.HiddenStates.ToArray());
        var ids = trace.TokenIds.Select(id => (long)id).ToArray();
        var header = Encoding.UTF8.GetBytes(
            $$$"""{"hidden_states":{"dtype":"F32","shape":[{{{rows}}},{{{Layers}}},{{{size}}}],"data_offsets":[0,{{{bytes}}}]},"token_ids":{"dtype":"I64","shape":[{{{ids.Length}}}],"data_offsets":[{{{bytes}}},{{{bytes + (8 * ids.Length)}}}]}}"""
        );
        using (var file = File.Create(Dump))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            var start = file.Position;
            for (var row = 0; row < rows; row++)
            {
                file.Position = start + ((((long)row * Layers) + Layers - 1) * size * sizeof(float));
                file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(states.AsSpan(row * size, size)));
            }

            file.Position = start + bytes;
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(ids));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var loaded = TraceFile.Load(Dump, Files.ModelPath, ServerDumps.Options(trace));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000_000);
        AssertMaps(trace, loaded, 1e-4);
    }

    [Fact]
    public async Task Load_DumpThatDoesNotSayEnough_NamesWhatIsMissing()
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        Refused("(modelPath)", null);
        Refused("give Pictures or Grids", new DumpOptions(), Files.ModelPath);
        Refused("gives it 2 x 2 cells", new DumpOptions { Grids = [(2, 2)] }, Files.ModelPath);
        Refused("names 2", new DumpOptions { Grids = [(2, 2), (3, 3)] }, Files.ModelPath);
        Refused("holds 2 layers", ServerDumps.Options(trace) with { DumpLayers = [7] }, Files.ModelPath);

        void Refused(string message, DumpOptions? options, string? model = null) =>
            Assert.Contains(
                message,
                Assert.Throws<TraceFormatException>(() => TraceFile.Load(Dump, model, options)).Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public async Task Load_DamagedAnswerOfSglang_IsRefused()
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteSglang(Json, trace, isExpanded: true, withInput: false);
        Assert.Contains("\"input_ids\"", Fault(), StringComparison.Ordinal);
        ServerDumps.WriteSglang(Json, trace, isExpanded: true, withInput: true);
        var whole = File.ReadAllText(Json);
        foreach (
            var text in (string[])
                [
                    whole[..(whole.Length / 2)],
                    "{}",
                    "[]",
                    "[{},{}]",
                    whole.Replace("\"hidden_states\":[[[", "\"hidden_states\":[[[[", StringComparison.Ordinal),
                    whole.Replace("\"hidden_states\":[[[", "\"hidden_states\":[[[1,", StringComparison.Ordinal),
                    whole.Replace("\"output_ids\":[", "\"output_ids\":[-1,", StringComparison.Ordinal),
                    whole.Replace("\"output_ids\":[", "\"output_ids\":[1e9,", StringComparison.Ordinal),
                ]
        )
        {
            File.WriteAllText(Json, text);
            Assert.DoesNotContain('\n', Fault());
        }

        string Fault() =>
            Assert
                .ThrowsAny<InvalidInputException>(() =>
                    TraceFile.Load(Json, Files.ModelPath, ServerDumps.Options(trace))
                )
                .Message;
    }

    /// <summary>A dump has no candidates: the answer is the last turn's text.</summary>
    private static void AssertMaps(Trace trace, Trace loaded, double tolerance) =>
        MapAssert.Equal(ActivationMaps.Compute(trace), ActivationMaps.Compute(loaded), tolerance);
}
