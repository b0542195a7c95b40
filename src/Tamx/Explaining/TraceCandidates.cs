using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>Adds to a trace the tokens that the model might have written at each step.</summary>
public static class TraceCandidates
{
    /// <summary>
    /// The trace with the best tokens of each step as its candidates. They are computed from the hidden states and the
    /// model's whole output embedding. Meant for dumps without candidates (such as those of given answers) and for
    /// traces with too few. The model is not loaded.
    /// </summary>
    /// <param name="trace">The trace.</param>
    /// <param name="modelPath">
    /// The model that made the run: a GGUF, or a folder as <see cref="TraceFile.Load"/> takes it.
    /// </param>
    /// <param name="count">Candidates per step, from 1 to <see cref="ITamEngine.MaxTopCount"/>.</param>
    /// <param name="options">Merge sizes; null for the defaults.</param>
    /// <param name="engine">
    /// The engine, which stays the caller's. Null creates the best one for this call alone.
    /// </param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <returns>
    /// A trace with the candidates, their probabilities, rows and texts, and the probabilities of the answer's tokens
    /// (under the model's softmax). Earlier candidates are dropped. So is what follows the answer, such as the end of
    /// its turn, because in a trace with candidates the answer comes last. No map depends on it.
    /// </returns>
    /// <remarks>
    /// The logits of the token at position p are W h_(p-1). If W is quantized, llama.cpp rounds the hidden state too,
    /// so its logits differ a little from these: by 1e-3 with an F16 head, by 0.04 of 5 with Q8_0 or Q6_K. Candidates
    /// that are nearly equal may then swap places.
    /// </remarks>
    /// <exception cref="InvalidInputException">
    /// The number of candidates is out of range. Or the trace cannot be used, or does not fit the model.
    /// </exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    /// <exception cref="NativeLibraryException">The native part is missing. It reads the model's rows.</exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Trace WithCandidates(
        this Trace trace,
        string modelPath,
        int count,
        TamOptions? options = null,
        ITamEngine? engine = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        options ??= new TamOptions();
        options.Validate();
        trace.Validate();
        var size = trace.HiddenSize;
        var model = RunModel.Open(modelPath, size, trace.TokenIds, trace.SourcePath);
        RequireSameTexts(trace, model);
        var most = Math.Min(ITamEngine.MaxTopCount, model.OutputEmbedding.TokenCount);
        if (count < 1 || count > most)
        {
            throw new InvalidInputException($"{count} candidates: there can be from 1 to {most} per step");
        }

        // Role words stay in: in a trace with candidates the answer is all of the last tokens.
        var positions = trace.ParseLayout(options with { DropRoleWordsEverywhere = false }).AnswerPositions;
        var (start, end) = (positions[0], positions[^1] + 1);
        trace.Require(
            end - start == positions.Count,
            $"the answer from position {start} to {end - 1} is interrupted by markers; candidates need one that is not"
        );

        using var ownEngine = engine is null ? TamEngines.Create(EngineKind.Auto) : null;
        var states = new TraceRows(trace).StatesOf(start - 1, positions.Count);
        var found = VocabularySearch.Run(
            model.OutputEmbedding,
            states,
            count,
            engine ?? ownEngine!,
            cancellationToken: cancellationToken
        );
        ImmutableArray<int>[] candidates =
        [
            .. found.Best.Select(token => token.Id).Chunk(count).Select(step => step.ToImmutableArray()),
        ];
        var answerRows = model.OutputEmbedding.ReadRows(trace.TokenIds.AsSpan(start..end));
        var answerProbabilities = new float[positions.Count];
        var probabilities = new ImmutableArray<float>[positions.Count];
        for (var i = 0; i < positions.Count; i++)
        {
            var logSum = found.LogSums[i];
            if (!double.IsFinite(logSum) || !float.IsFinite(found.Best[i * count].Logit))
            {
                throw RunModel.Other(
                    trace.SourcePath,
                    $"the logits at position {start + i} leave the range of float32"
                );
            }

            probabilities[i] =
            [
                .. found.Best.AsSpan(i * count, count).ToArray().Select(token => Probability(token.Logit, logSum)),
            ];
            var logit = HiddenRows.Dot(answerRows.AsSpan(i * size, size), states.Slice(i * size, size));
            answerProbabilities[i] = Probability(logit, logSum);
        }

        int[] outputIds = [.. trace.OutputIds.Concat(candidates.SelectMany(step => step)).Distinct().Order()];
        return new Trace
        {
            SourcePath = trace.SourcePath,
            TokenIds = trace.TokenIds[..end],
            HiddenSize = size,
            HiddenStates = trace.HiddenStates[..(Math.Min(trace.HiddenRowCount, end) * size)],
            OutputIds = [.. outputIds],
            OutputRows = RowsOf(trace, outputIds, model.OutputEmbedding),
            OutputTexts = trace.OutputTexts is null
                ? null
                : [.. outputIds.Select(id => trace.FindBytes(id) ?? model.GetBytes(id))],
            ImageGrids = trace.ImageGrids,
            VideoGrids = trace.VideoGrids,
            CandidateIds = candidates,
            CandidateProbabilities = probabilities,
            AnswerProbabilities = [.. answerProbabilities],
            RegionChanges = trace.RegionChanges,
            Markers = trace.Markers,
            Pictures = trace.Pictures,
            Run = trace.Run,
        };
    }

    /// <summary>A token's probability. Rounding must not bring it above 1.</summary>
    private static float Probability(double logit, double logSum) => (float)Math.Min(1, Math.Exp(logit - logSum));

    /// <summary>Refuses a model with another vocabulary, if the trace has texts to tell by.</summary>
    private static void RequireSameTexts(Trace trace, RunModel model)
    {
        foreach (var id in trace.OutputTexts is null ? [] : trace.OutputIds)
        {
            var known = id < model.OutputEmbedding.TokenCount;
            if (!known || !trace.FindBytes(id)!.Value.Span.SequenceEqual(model.GetBytes(id)))
            {
                throw RunModel.Other(
                    trace.SourcePath,
                    $"its token {id} is {Quote(trace.FindText(id)!)}, but {model.Path} has {(known ? Quote(Encoding.UTF8.GetString(model.GetBytes(id))) : "no such token")}"
                );
            }
        }

        static string Quote(string text) => JsonSerializer.Serialize(text);
    }

    /// <summary>Output rows: the trace's, or else the model's.</summary>
    private static float[] RowsOf(Trace trace, int[] ids, OutputEmbedding embedding)
    {
        var (size, held) = (trace.HiddenSize, new TraceRows(trace));
        int[] newIds = [.. ids.Except(trace.OutputIds)];
        var newRows = embedding.ReadRows(newIds);
        var rows = new float[checked(ids.Length * size)];
        for (var i = 0; i < ids.Length; i++)
        {
            var index = Array.BinarySearch(newIds, ids[i]);
            (index >= 0 ? newRows.AsSpan(index * size, size) : held.RowOf(ids[i])).CopyTo(rows.AsSpan(i * size));
        }

        return rows;
    }
}
