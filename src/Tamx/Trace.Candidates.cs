using System.Text;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <content>What else the model would have written at each step.</content>
public sealed partial class Trace
{
    /// <summary>
    /// The trace with the best tokens of every step as its candidates, computed from its hidden states and the model's whole output embedding:
    /// for dumps without candidates, such as those of given answers, or to have more of them. The model is not loaded.
    /// </summary>
    /// <param name="modelPath">The GGUF of the model that the run was made with.</param>
    /// <param name="count">Candidates per step, from 1 to <see cref="ITamEngine.MaxTopCount"/>.</param>
    /// <param name="options">Merge sizes; null for the defaults.</param>
    /// <param name="engine">The engine, which stays the caller's; null to create the best there is for this call alone.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <returns>
    /// A trace with candidates, their probabilities, those of the answer's tokens (under the model's softmax), and the rows and texts of the
    /// candidates. Those that the trace had before are left out. What follows the answer, such as the end of its turn, is left out too, since in a trace
    /// with candidates the answer comes last; no map depends on it.
    /// </returns>
    /// <remarks>
    /// The logits of the token at position p are W h_(p-1). llama.cpp rounds the hidden state as well where W is quantized, so its own logits, and with
    /// them candidates that are nearly equal, differ a little from these: by 1e-3 with an F16 head, by 0.04 of 5 with Q8_0 or Q6_K.
    /// </remarks>
    /// <exception cref="InvalidInputException">The number of candidates is out of range, or the trace cannot be used or does not fit the model.</exception>
    /// <exception cref="ModelFormatException">The model's file cannot be used.</exception>
    /// <exception cref="NativeLibraryException">The native part, which reads the model's rows, is missing.</exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Trace WithCandidates(
        string modelPath, int count, TamOptions? options = null, ITamEngine? engine = null, CancellationToken cancellationToken = default)
    {
        options ??= new TamOptions();
        options.Validate();
        Validate();
        var model = OpenModel(modelPath, HiddenSize, TokenIds, Fault);
        RequireSameTexts(model);
        int most = Math.Min(ITamEngine.MaxTopCount, model.Facts.VocabularySize);
        if (count < 1 || count > most)
        {
            throw new InvalidInputException($"{count} candidates: there can be from 1 to {most} per step");
        }

        // Read without leaving out role words, for the answer of a trace with candidates is all of its last tokens.
        var positions = ActivationMaps.ParseLayout(this, options with { DropRoleWordsEverywhere = false }).AnswerPositions;
        var (start, end) = (positions[0], positions[^1] + 1);
        Require(end - start == positions.Count, $"the answer from position {start} to {end - 1} is interrupted by markers; candidates need one that is not");

        using var ownEngine = engine is null ? TamEngines.Create(EngineKind.Auto) : null;
        var states = ((IRunRows)this).StatesOf(start - 1, positions.Count);
        var found = VocabularySearch.Run(model.OutputEmbedding, states, count, engine ?? ownEngine!, cancellationToken: cancellationToken);
        int[][] candidates = [.. found.Best.Select(token => token.Id).Chunk(count)];
        float[] answerRows = model.OutputEmbedding.ReadRows(TokenIds.AsSpan(start..end));
        var answerProbabilities = new float[positions.Count];
        var probabilities = new float[positions.Count][];
        for (int i = 0; i < positions.Count; i++)
        {
            double logSum = found.LogSums[i];
            Require(
                double.IsFinite(logSum) && float.IsFinite(found.Best[i * count].Logit),
                $"the logits at position {start + i} leave the range of float32; give the model that the run was made with (-m)");
            probabilities[i] = [.. found.Best.AsSpan(i * count, count).ToArray().Select(token => Probability(token.Logit, logSum))];
            double logit = HiddenRows.Dot(answerRows.AsSpan(i * HiddenSize, HiddenSize), states.Slice(i * HiddenSize, HiddenSize));
            answerProbabilities[i] = Probability(logit, logSum);
        }

        int[] outputIds = [.. OutputIds.Concat(candidates.SelectMany(step => step)).Distinct().Order()];
        return new Trace
        {
            SourcePath = SourcePath,
            TokenIds = TokenIds[..end],
            HiddenSize = HiddenSize,
            HiddenStates = HiddenStates[..(Math.Min(HiddenRowCount, end) * HiddenSize)],
            OutputIds = outputIds,
            OutputRows = RowsOf(outputIds, model.OutputEmbedding),
            OutputTexts = OutputTexts is null ? null : [.. outputIds.Select(id => FindText(id) ?? model.GetBytes(id))],
            ImageGrids = ImageGrids,
            VideoGrids = VideoGrids,
            CandidateIds = candidates,
            CandidateProbabilities = probabilities,
            AnswerProbabilities = answerProbabilities,
            Markers = Markers,
            Pictures = Pictures,
            Run = Run,
        };
    }

    /// <summary>Of a token; rounding must not make a certain one more than certain.</summary>
    private static float Probability(double logit, double logSum) => (float)Math.Min(1, Math.Exp(logit - logSum));

    /// <summary>Opens a model's file and refuses it where it cannot be the one that a run was made with.</summary>
    private static ModelTokens OpenModel(string path, int hiddenSize, IEnumerable<int> idsInUse, Func<string, TraceFormatException> fault)
    {
        var model = ModelTokens.Open(path);
        if (model.Facts.HiddenSize != hiddenSize)
        {
            throw fault(
                $"its hidden states have {hiddenSize} values, those of {path} {model.Facts.HiddenSize}; give the model that the run was made with (-m)");
        }

        int last = idsInUse.DefaultIfEmpty(-1).Max();
        return last < model.Facts.VocabularySize
            ? model
            : throw fault($"it holds the token id {last}, but {path} has {model.Facts.VocabularySize} tokens; give the model that the run was made with (-m)");
    }

    /// <summary>Refuses a model whose vocabulary is another one, where the trace has texts to tell by.</summary>
    private void RequireSameTexts(ModelTokens model)
    {
        foreach (int id in OutputTexts is null ? [] : OutputIds)
        {
            Require(
                id < model.Facts.VocabularySize && FindText(id).AsSpan().SequenceEqual(model.GetBytes(id)),
                $"its token {id} is {Quote(FindText(id)!)}, but {model.Facts.Path} has {(id < model.Facts.VocabularySize ? Quote(model.GetBytes(id)) : "no such token")}; "
                    + "give the model that the run was made with (-m)");
        }

        static string Quote(byte[] text) => System.Text.Json.JsonSerializer.Serialize(Encoding.UTF8.GetString(text));
    }

    /// <summary>Output rows, from the model where the trace has none.</summary>
    private float[] RowsOf(int[] ids, OutputEmbedding embedding)
    {
        int[] newIds = [.. ids.Except(OutputIds)];
        float[] newRows = embedding.ReadRows(newIds);
        var rows = new float[checked(ids.Length * HiddenSize)];
        for (int i = 0; i < ids.Length; i++)
        {
            int index = Array.BinarySearch(newIds, ids[i]);
            (index >= 0 ? newRows.AsSpan(index * HiddenSize, HiddenSize) : ((IRunRows)this).RowOf(ids[i])).CopyTo(rows.AsSpan(i * HiddenSize));
        }

        return rows;
    }
}
