using System.Collections.Immutable;

namespace Tamx.Tests;

/// <summary>Small seeded traces, built from turns of token ids.</summary>
internal static class SyntheticTrace
{
    public const int HiddenSize = 12;

    private static readonly MarkerIds Markers = MarkerIds.QwenPublished;

    public static int[] Turn(int role, params int[] content) =>
        [Markers.TurnStart, role, Markers.Newline!.Value, .. content, Markers.TurnEnd, Markers.Newline!.Value];

    public static int[] User(params int[] content) => Turn(Markers.User!.Value, content);

    public static int[] Assistant(params int[] content) => Turn(Markers.Assistant!.Value, content);

    /// <summary>A generation prompt and the generated tokens.</summary>
    public static int[] Generated(params int[] answer) =>
        [Markers.TurnStart, Markers.Assistant!.Value, Markers.Newline!.Value, .. answer];

    public static int[] Image(int cellCount) =>
        [Markers.VisionStart, .. Enumerable.Repeat(Markers.ImagePad, cellCount), Markers.VisionEnd];

    public static int[] Video(int cellCount) =>
        [Markers.VisionStart, .. Enumerable.Repeat(Markers.VideoPad!.Value, cellCount), Markers.VisionEnd];

    public static Trace Create(
        int[] ids,
        PatchGrid[]? imageGrids = null,
        PatchGrid[]? videoGrids = null,
        int[][]? candidates = null,
        int? rowCount = null,
        Func<int, string>? text = null
    )
    {
        int[] outputIds = [.. ids.Concat((candidates ?? []).SelectMany(step => step)).Distinct().Order()];
        return new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = HiddenSize,
            HiddenStates = Values(1, (rowCount ?? ids.Length - 1) * HiddenSize),
            OutputIds = [.. outputIds],
            OutputRows = outputIds.SelectMany(id => Values(id + 2, HiddenSize)).ToArray(),
            OutputTexts = text is null
                ? null
                : [.. outputIds.Select(id => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(text(id)))],
            ImageGrids = imageGrids ?? [],
            VideoGrids = videoGrids ?? [],
            CandidateIds = candidates?.Select(step => step.ToImmutableArray()).ToArray(),
        };
    }

    public static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 0.8))];
    }
}
