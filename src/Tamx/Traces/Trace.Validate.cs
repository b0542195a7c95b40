using Tamx.Kernels;

namespace Tamx;

/// <content>Checks that all parts fit each other.</content>
public sealed partial class Trace
{
    /// <summary>The file the trace was loaded from, for messages.</summary>
    internal string? SourcePath { get; init; }

    private bool _isValid;

    /// <summary>
    /// Refuses a trace whose parts do not fit each other or that holds NaN or infinities. A trace that was found good is not looked through
    /// again; what it holds must not change.
    /// </summary>
    /// <exception cref="TraceFormatException">Names the part or the position, and what would be right.</exception>
    public void Validate()
    {
        if (_isValid)
        {
            return;
        }

        Require(TokenIds.Length > 0, "generated_ids is empty; the sequence of prompt and answer is needed");
        Require(HiddenSize >= 1, $"the hidden size is {HiddenSize}; it must be at least 1");
        Require(
            HiddenStates.Length % HiddenSize == 0 && (HiddenRowCount == TokenIds.Length - 1 || HiddenRowCount == TokenIds.Length),
            $"hidden_state has {HiddenRowCount} rows for {TokenIds.Length} tokens; one per token is needed, where the last may be left out");
        Require(
            OutputRows.Length == (long)OutputIds.Length * HiddenSize,
            $"lm_head_rows has {OutputRows.Length} values; {OutputIds.Length} ids of hidden size {HiddenSize} need {(long)OutputIds.Length * HiddenSize}");
        for (int i = 1; i < OutputIds.Length; i++)
        {
            if (OutputIds[i] <= OutputIds[i - 1])
            {
                throw Fault($"lm_head_ids is not ascending at index {i}: {OutputIds[i - 1]} is followed by {OutputIds[i]}");
            }
        }

        Require(OutputTexts is null || OutputTexts.Length == OutputIds.Length, $"there are {OutputTexts?.Length} token texts for {OutputIds.Length} ids");
        ValidateFinite();
        ValidateCandidates();
        _isValid = true;
    }

    internal TraceFormatException Fault(string message) => new(SourcePath, message);

    private void ValidateFinite()
    {
        int position = HiddenRows.IndexOfNonFinite(HiddenStates.Span, HiddenSize);
        Require(position < 0, $"hidden_state holds NaN or an infinity at position {position}; all values must be finite");
        int row = HiddenRows.IndexOfNonFinite(OutputRows, HiddenSize);
        Require(row < 0, $"lm_head_rows holds NaN or an infinity in the row of token id {(row < 0 ? 0 : OutputIds[row])}; all values must be finite");
    }

    private void ValidateCandidates()
    {
        if (CandidateIds is not null)
        {
            int width = CandidateIds.Length == 0 ? 0 : CandidateIds[0].Length;
            for (int step = 0; step < CandidateIds.Length; step++)
            {
                Require(CandidateIds[step].Length == width, $"candidate_ids_per_step has {CandidateIds[step].Length} ids at step {step}; step 0 has {width}");
                foreach (int id in CandidateIds[step])
                {
                    if (Array.BinarySearch(OutputIds, id) < 0)
                    {
                        throw Fault($"candidate_ids_per_step holds the id {id} at step {step}, which lm_head_ids does not have; its row is needed");
                    }
                }
            }
        }

        if (CandidateProbabilities is not null)
        {
            Require(
                CandidateIds is not null
                    && CandidateProbabilities.Length == CandidateIds.Length
                    && CandidateProbabilities.Zip(CandidateIds).All(pair => pair.First.Length == pair.Second.Length),
                "tamx.candidate_probabilities must have the shape of candidate_ids_per_step");
        }

        Require(
            AnswerProbabilities is null || CandidateIds is null || AnswerProbabilities.Length == CandidateIds.Length,
            $"tamx.answer_probabilities has {AnswerProbabilities?.Length} values for {CandidateIds?.Length} generated tokens");
    }

    private void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw Fault(message);
        }
    }
}
