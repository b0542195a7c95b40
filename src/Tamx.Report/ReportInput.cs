using System.Numerics.Tensors;

namespace Tamx.Report;

/// <summary>Checks that trace and maps belong together and can be shown, before the first byte is written.</summary>
internal static class ReportInput
{
    private static readonly string[] MediaTypes = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

    /// <summary>Checks everything that the writers rely on.</summary>
    /// <exception cref="InvalidInputException">Something does not fit; the message says what and where.</exception>
    public static void Check(Trace trace, ActivationMaps maps)
    {
        var layout = maps.Layout;
        var tokenCount = trace.TokenIds.Length;

        Require(
            maps.Answer.Count == layout.AnswerPositions.Count,
            $"report: {maps.Answer.Count} answer tokens, but {layout.AnswerPositions.Count} answer positions; both must be of one run"
        );
        Require(
            trace.OutputTexts is null || trace.OutputTexts.Count == trace.OutputIds.Length,
            $"report: {trace.OutputTexts?.Count} token texts for {trace.OutputIds.Length} output ids; there must be one per id"
        );
        var turnPositions = layout.Turns.SelectMany(turn => turn.TextPositions);
        foreach (var position in turnPositions.Concat(layout.ContextPositions).Concat(layout.AnswerPositions))
        {
            Require(
                position >= 0 && position < tokenCount,
                $"report: position {position} is outside the trace's {tokenCount} tokens"
            );
        }

        foreach (var block in layout.Turns.SelectMany(turn => turn.VisionBlockIndices))
        {
            Require(
                block >= 0 && block < layout.VisionBlocks.Count,
                $"report: a turn names vision block {block}, but the layout has {layout.VisionBlocks.Count}"
            );
        }

        for (var i = 0; i < layout.VisionBlocks.Count; i++)
        {
            var block = layout.VisionBlocks[i];
            Require(
                block.Grid.CellCount == block.CellCount && block.CellCount > 0,
                $"report: vision block {i} has {block.CellCount} tokens, but a grid of {block.Grid}"
            );
        }

        foreach (var picture in trace.Pictures)
        {
            var name = picture.Name ?? $"picture of vision block {picture.BlockIndex}";
            Require(
                MediaTypes.Contains(picture.MediaType),
                $"report: {name} is of type '{picture.MediaType}'; one of {string.Join(", ", MediaTypes)} can be shown"
            );
            Require(
                picture.BlockIndex >= 0
                    && picture.BlockIndex < layout.VisionBlocks.Count
                    && picture.FrameIndex >= 0
                    && picture.FrameIndex < layout.VisionBlocks[picture.BlockIndex].Grid.Frames,
                $"report: {name} belongs to frame {picture.FrameIndex} of vision block {picture.BlockIndex}, which the layout does not have"
            );
            Require(
                picture.Width > 0 && picture.Height > 0,
                $"report: {name} has no size ({picture.Width} x {picture.Height})"
            );
        }

        var text = new TextOrder(layout.ContextPositions.Concat(layout.AnswerPositions));
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            var token = maps.Answer[i];
            Require(
                token.Position == layout.AnswerPositions[i],
                $"report: answer token {i} is at position {token.Position}, but the layout has it at {layout.AnswerPositions[i]}"
            );
            CheckToken(token, layout, text, $"answer token {i}");
        }

        foreach (var (region, _) in maps.Claims)
        {
            Require(
                region.BlockIndex >= 0
                    && region.BlockIndex < layout.VisionBlocks.Count
                    && region.LabelTokens.Concat(region.CoordinateTokens).All(i => i >= 0 && i < maps.Answer.Count),
                $"report: the claimed region '{OutsideText.Name(region.Label)}' belongs to no picture or to no tokens of the answer"
            );
        }

        foreach (var token in maps.Prompt)
        {
            Require(
                text.Contains(token.Position),
                $"report: the prompt's token at position {token.Position} is no text"
            );
            CheckToken(token, layout, text, $"the prompt's token at position {token.Position}");
        }
    }

    /// <summary>Checks maps of the same answer by another method.</summary>
    /// <exception cref="InvalidInputException">They are of another answer, or something does not fit.</exception>
    public static void CheckOther(Trace trace, ActivationMaps maps, ActivationMaps other)
    {
        Require(
            other.Layout.AnswerPositions.SequenceEqual(maps.Layout.AnswerPositions)
                && other.Layout.ContextPositions.SequenceEqual(maps.Layout.ContextPositions)
                && other.Layout.VisionBlocks.SequenceEqual(maps.Layout.VisionBlocks),
            "report: the maps of another method are of another run, or of other text; all must be of one trace, with the same options but for the method"
        );
        Check(trace, other);
    }

    /// <summary>Checks one token.</summary>
    /// <exception cref="InvalidInputException">Something does not fit; the message says what and where.</exception>
    public static void CheckToken(AnswerToken token, SequenceLayout layout, TextOrder text, string name)
    {
        if (!text.StartsWith(token.TextPositions))
        {
            foreach (var position in token.TextPositions)
            {
                Require(
                    text.Contains(position),
                    $"report: {name} has relevance to position {position}, which is no text"
                );
            }
        }

        CheckExplained(token.Token, token, layout, name);
        for (var c = 0; c < token.Candidates.Count; c++)
        {
            CheckExplained(token.Candidates[c], token, layout, $"candidate {c} of {name}");
        }
    }

    private static void CheckExplained(ExplainedToken explained, AnswerToken token, SequenceLayout layout, string name)
    {
        Require(
            explained.VisionMaps.Count == layout.VisionBlocks.Count,
            $"report: {name} has {explained.VisionMaps.Count} maps for {layout.VisionBlocks.Count} vision blocks"
        );
        for (var b = 0; b < explained.VisionMaps.Count; b++)
        {
            if (explained.VisionMaps[b] is not { Values: var map })
            {
                continue;
            }

            var cellCount = layout.VisionBlocks[b].CellCount;
            var mapName = $"the map of {name} over vision block {b}";
            Require(map.Length == cellCount, $"report: {mapName} has {map.Length} values for {cellCount} cells");
            Require(AreFinite(map.Span), $"report: {mapName} holds a value that is no finite number");
        }

        Require(
            explained.TextRelevance.Length == token.TextPositions.Count,
            $"report: {name} has {explained.TextRelevance.Length} relevance values for {token.TextPositions.Count} text positions"
        );
        Require(
            AreFinite(explained.TextRelevance.AsSpan()),
            $"report: the text relevance of {name} holds a value that is no finite number"
        );
    }

    private static bool AreFinite(ReadOnlySpan<float> values) => values.IsEmpty || TensorPrimitives.IsFiniteAll(values);

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidInputException(message);
        }
    }
}
