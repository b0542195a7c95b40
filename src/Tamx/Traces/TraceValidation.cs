using System.Collections.Immutable;
using Tamx.Kernels;

namespace Tamx;

/// <summary>Checks that all parts of a trace fit each other.</summary>
internal static class TraceValidation
{
    /// <summary>Refuses a trace that the method cannot use.</summary>
    /// <param name="trace">The trace.</param>
    /// <exception cref="TraceFormatException">Names the part or the position, and what would be right.</exception>
    public static void Check(Trace trace)
    {
        var (ids, size) = (trace.OutputIds, trace.HiddenSize);
        trace.Require(
            !trace.TokenIds.IsDefaultOrEmpty,
            $"generated_ids is empty; the sequence of prompt and answer is needed"
        );
        trace.Require(size >= 1, $"the hidden size is {size}; it must be at least 1");
        trace.Require(
            trace.HiddenStates.Length % size == 0
                && (trace.HiddenRowCount == trace.TokenIds.Length - 1 || trace.HiddenRowCount == trace.TokenIds.Length),
            $"hidden_state has {trace.HiddenRowCount} rows for {trace.TokenIds.Length} tokens; one per token is needed, where the last may be left out"
        );
        trace.Require(
            trace.OutputRows.Length == (long)ids.Length * size,
            $"lm_head_rows has {trace.OutputRows.Length} values; {ids.Length} ids of hidden size {size} need {(long)ids.Length * size}"
        );
        for (var i = 1; i < ids.Length; i++)
        {
            if (ids[i] <= ids[i - 1])
            {
                throw trace.Fault($"lm_head_ids is not ascending at index {i}: {ids[i - 1]} is followed by {ids[i]}");
            }
        }

        trace.Require(
            trace.OutputTexts is null || trace.OutputTexts.Count == ids.Length,
            $"there are {trace.OutputTexts?.Count} token texts for {ids.Length} ids"
        );
        var position = HiddenRows.IndexOfNonFinite(trace.HiddenStates.Span, size);
        trace.Require(
            position < 0,
            $"hidden_state holds NaN or an infinity at position {position}; all values must be finite"
        );
        var row = HiddenRows.IndexOfNonFinite(trace.OutputRows.Span, size);
        trace.Require(
            row < 0,
            $"lm_head_rows holds NaN or an infinity in the row of token id {(row < 0 ? 0 : ids[row])}; all values must be finite"
        );
        CheckRegion(trace);
        CheckCandidates(trace);
        CheckLayers(trace);
        CheckEvidence(trace);
    }

    private static void CheckRegion(Trace trace)
    {
        try
        {
            trace.Run.Region?.Validate();
        }
        catch (InvalidInputException e)
        {
            throw trace.Fault($"tamx.run: {e.Message}");
        }

        trace.Require(
            trace.RegionChanges is not { } changes || HiddenRows.IndexOfNonFinite(changes.AsSpan(), 1) < 0,
            $"tamx.region_changes holds NaN or an infinity; all values must be finite"
        );
        trace.Require(
            trace.RegionChanges is null
                || trace.CandidateIds is null
                || trace.RegionChanges.Value.Length == trace.CandidateIds.Count,
            $"tamx.region_changes has {trace.RegionChanges?.Length} values for {trace.CandidateIds?.Count} generated tokens"
        );
    }

    private static void CheckLayers(Trace trace)
    {
        foreach (var layer in trace.Layers)
        {
            trace.Require(
                layer.HiddenStates.Length == trace.HiddenStates.Length
                    && (layer.LogSums is null || layer.LogSums.Value.Length == trace.HiddenRowCount),
                $"layer {layer.Layer} has other rows than hidden_state"
            );
            var position = HiddenRows.IndexOfNonFinite(layer.HiddenStates.Span, trace.HiddenSize);
            trace.Require(
                position < 0 && (layer.LogSums is not { } sums || HiddenRows.IndexOfNonFinite(sums.Span, 1) < 0),
                $"layer {layer.Layer} holds NaN or an infinity; all values must be finite"
            );
        }
    }

    /// <summary>Each step has scores of the answer token and its candidates, for every position before it.</summary>
    private static void CheckEvidence(Trace trace)
    {
        if (trace.Evidence is not { } steps)
        {
            return;
        }

        trace.Require(
            trace.CandidateIds is { } candidates && steps.Count == candidates.Count,
            $"there is evidence of {steps.Count} tokens; candidate_ids_per_step must have as many steps"
        );
        foreach (var (index, step) in steps.Index())
        {
            var position = trace.TokenIds.Length - steps.Count + index;
            int[] ids = [.. trace.CandidateIds![index].Prepend(trace.TokenIds[position]).Distinct()];
            trace.Require(
                step.TokenIds.SequenceEqual(ids)
                    && step.Scores.Length == (long)ids.Length * position
                    && step.Rest.Length == ids.Length
                    && step.Logits.Length == ids.Length,
                $"the evidence of step {index} must have the answer token and its candidates, and a score for each of the {position} positions before"
            );
            trace.Require(
                HiddenRows.IndexOfNonFinite(step.Scores.Span, 1) < 0,
                $"the evidence of step {index} holds NaN or an infinity; all values must be finite"
            );
        }
    }

    private static void CheckCandidates(Trace trace)
    {
        foreach (var (step, ids) in (trace.CandidateIds ?? []).Index())
        {
            var width = trace.CandidateIds![0].Length;
            trace.Require(
                ids.Length == width,
                $"candidate_ids_per_step has {ids.Length} ids at step {step}; step 0 has {width}"
            );
            foreach (var id in ids)
            {
                if (trace.OutputIds.BinarySearch(id) < 0)
                {
                    throw trace.Fault(
                        $"candidate_ids_per_step holds the id {id} at step {step}, which lm_head_ids does not have; its row is needed"
                    );
                }
            }
        }

        if (trace.CandidateProbabilities is { } probabilities)
        {
            trace.Require(
                trace.CandidateIds is { } candidates
                    && probabilities.Count == candidates.Count
                    && probabilities.Zip(candidates).All(pair => pair.First.Length == pair.Second.Length),
                $"tamx.candidate_probabilities must have the shape of candidate_ids_per_step"
            );
        }

        trace.Require(
            trace.AnswerProbabilities is null
                || trace.CandidateIds is null
                || trace.AnswerProbabilities.Value.Length == trace.CandidateIds.Count,
            $"tamx.answer_probabilities has {trace.AnswerProbabilities?.Length} values for {trace.CandidateIds?.Count} generated tokens"
        );
    }
}
