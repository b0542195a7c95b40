namespace Tamx.Report.Tests;

/// <summary>A report that grows by the tokens of a run that is there already.</summary>
internal static class Replay
{
    public static GrowingReport Of(Trace trace, ActivationMaps maps, HtmlReportOptions? options = null)
    {
        var layout = maps.Layout;
        var prompt = new Trace
        {
            TokenIds = trace.TokenIds[..layout.AnswerPositions[0]],
            HiddenSize = trace.HiddenSize,
            HiddenStates = ReadOnlyMemory<float>.Empty,
            OutputIds = trace.OutputIds,
            OutputRows = ReadOnlyMemory<float>.Empty,
            OutputTexts = trace.OutputTexts,
            ImageGrids = trace.ImageGrids,
            VideoGrids = trace.VideoGrids,
            Pictures = trace.Pictures,
            Run = trace.Run,
        };
        var turns = layout
            .Turns.Select(turn => turn with { TextPositions = [.. turn.TextPositions.Except(layout.AnswerPositions)] })
            .Where(turn => turn.TextPositions.Count > 0 || turn.VisionBlockIndices.Count > 0);
        var head = new ActivationMaps
        {
            Layout = layout with { Turns = [.. turns], AnswerPositions = [] },
            Options = maps.Options,
            EngineName = maps.EngineName,
            Prompt = maps.Prompt,
            Answer = [],
        };
        return new GrowingReport(prompt, head, trace.FindBytes, options ?? new HtmlReportOptions());
    }
}
