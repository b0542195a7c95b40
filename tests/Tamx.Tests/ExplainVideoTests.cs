using System.Collections.Concurrent;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// Videos from messages to maps, on random models of every architecture, projector, head and kind of file.
/// </summary>
public sealed class ExplainVideoTests
{
    private static readonly CompletionOptions Precise = new()
    {
        MaxNewTokens = 8,
        CandidateCount = 2,
        PreciseCache = true,
    };

    private static readonly ConcurrentDictionary<string, Task<Explanation>> Generated = new();

    public static TheoryData<string> Models => [.. TestModels.WithVideos];

    /// <summary>
    /// Five frames of 128 x 96 (three patches of 14 x 10 cells), a picture of 224 x 224, and two frames in a later
    /// turn.
    /// </summary>
    private static ChatTurn[] Messages =>
        [
            new(
                TurnRole.User,
                [VideoPart.FromFrames(TestVideos.Frames(5)), new TextPart("What moves?"), TestVideos.Frame(3, 224, 224)]
            ),
            new(TurnRole.Assistant, "A square."),
            new(
                TurnRole.User,
                [new TextPart("And now?"), VideoPart.FromFrames(TestVideos.Frames(2), new() { FramesPerSecond = 0.5 })]
            ),
        ];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task ExplainAsync_Videos_LayoutAndPicturesFit(string name)
    {
        var explanation = await GeneratedAsync(name);

        var isQwen3 = name.StartsWith("qwen3", StringComparison.Ordinal);
        var picture = isQwen3 ? new PatchGrid(1, 7, 7) : new PatchGrid(1, 8, 8);
        PatchGrid frame = new(1, 10, 14);
        PatchGrid[] expected = isQwen3
            ? [frame, frame, frame, picture, frame]
            : [frame with { Frames = 3 }, picture, frame];
        var blocks = explanation.Maps.Layout.VisionBlocks;
        Assert.Equal(expected, blocks.Select(block => block.Grid));
        Assert.Equal(
            isQwen3 ? [true, true, true, false, true] : [true, false, true],
            blocks.Select(block => block.IsVideo)
        );
        Assert.Equal(
            ["user", "assistant", "user", "assistant"],
            explanation.Maps.Layout.Turns.Select(turn => turn.Role).TakeLast(4)
        );

        // Qwen2-VL's template begins with a system turn of its own.
        Assert.Equal(isQwen3 ? [0, 0, 0, 0, 2] : [1, 1, 3], blocks.Select(block => block.TurnIndex));

        // One picture for each temporal patch, with its time; a picture has none.
        Assert.Equal(
            isQwen3
                ? [(0, 0, 0.25), (1, 0, 1.25), (2, 0, 2), (3, 0, null), (4, 0, 1)]
                : [(0, 0, 0.25), (0, 1, 1.25), (0, 2, 2), (1, 0, null), (2, 0, (double?)1)],
            explanation.Trace.Pictures.Select(shown => (shown.BlockIndex, shown.FrameIndex, shown.Seconds))
        );
        Assert.Equal(
            ["frame 0.png", "frame 2.png", "frame 4.png", "frame 3.png", "frame 0.png"],
            explanation.Trace.Pictures.Select(shown => shown.Name)
        );
        Assert.All(explanation.Trace.Pictures, shown => Assert.Equal("image/png", shown.MediaType));

        // All grids are of patches before the merge; one row for each video.
        Assert.Equal([new(3, 20, 28), new(1, 20, 28)], explanation.Trace.VideoGrids);
        Assert.Equal([new(1, 2 * picture.Rows, 2 * picture.Columns)], explanation.Trace.ImageGrids);

        // Everything before the answer has a map, and the text between the blocks of a video is context.
        Assert.All(
            explanation.Maps.Answer,
            token =>
                Assert.All(
                    token.Token.VisionMaps.Zip(blocks),
                    pair => Assert.Equal(pair.Second.CellCount, pair.First!.Values.Length)
                )
        );
        var context = explanation.Maps.Layout.ContextPositions.Select(position => Text(explanation.Trace, position));
        Assert.Contains(
            isQwen3 ? "<0.2 seconds><1.2 seconds><2.0 seconds>What moves?" : "What moves?",
            string.Concat(context),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task ExplainAsync_AnswerFedBack_GivesTheSameMaps(string name)
    {
        var model = LoadedModels.Get(name);
        var generated = await GeneratedAsync(name);
        var encoded = await Explainer.ExplainAsync(
            model,
            [.. Messages, new(TurnRole.Assistant, generated.Answer)],
            new() { Completion = Precise }
        );

        Assert.True(generated.Maps.Answer.Count >= 3, "the answer is too short to compare anything");
        Assert.Equal(generated.Trace.TokenIds.AsSpan(), encoded.Trace.TokenIds.AsSpan());
        foreach (var (expected, actual) in generated.Maps.Answer.Zip(encoded.Maps.Answer))
        {
            foreach (var (map, again) in expected.Token.VisionMaps.Zip(actual.Token.VisionMaps))
            {
                // Hidden states agree to 2e-6 of their size with the precise cache ; a normalised map divides by a
                // range that is a part of it. 2e-7 was measured.
                FloatAssert.Equal(map!.Values.Span, again!.Values.Span, 2e-5, name);
            }

            FloatAssert.Equal(expected.Token.TextRelevance.AsSpan(), actual.Token.TextRelevance.AsSpan(), 2e-5, name);
        }
    }

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen2.5vl")]
    public async Task ExplainAsync_SavedTrace_GivesTheSameMapsAgain(string name)
    {
        using var folder = new TemporaryFolder();
        var explanation = await GeneratedAsync(name);
        TraceFile.Save(explanation.Trace, folder.File("trace.safetensors"));
        var loaded = TraceFile.Load(folder.File("trace.safetensors"));
        var maps = ActivationMaps.Compute(loaded);

        Assert.Equal(explanation.Maps.Layout.VisionBlocks, maps.Layout.VisionBlocks);
        Assert.Equal(
            explanation.Trace.Pictures.Select(shown => shown.Seconds),
            loaded.Pictures.Select(shown => shown.Seconds)
        );
        Assert.Equal(
            explanation.Maps.Answer.SelectMany(token => token.Token.VisionMaps.Select(map => map?.Values.ToArray())),
            maps.Answer.SelectMany(token => token.Token.VisionMaps.Select(map => map?.Values.ToArray()))
        );
    }

    /// <summary>The answer that a model writes, explained once for all tests.</summary>
    private static Task<Explanation> GeneratedAsync(string name)
    {
        return Generated.GetOrAdd(
            name,
            _ =>
            {
                // A thought would not end within a few tokens.
                var model = LoadedModels.Get(name);
                var completion = Precise with { Thinking = model.Template.CanSwitchThinking ? false : null };
                var options = new ExplainOptions { Completion = completion, ExplainEndToken = false };
                return Explainer.ExplainAsync(model, Messages, options);
            }
        );
    }

    private static string Text(Trace trace, int position) => trace.FindText(trace.TokenIds[position])!;
}
