using System.Numerics.Tensors;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Capture;

namespace Tamx;

/// <summary>Turns captured attention into the evidence of answer tokens. Used by one thread at a time.</summary>
/// <remarks>
/// For token t at position q the direction is d = s g (w_t - mean w), with g the weights of the final norm and s its
/// scale at q; the logit less the mean logit is d times the residual stream. Its parts are what each layer's attention
/// wrote from each position, and a rest. A hybrid's recurrent layers do not say where they read, so what they wrote is
/// part of the rest.
/// </remarks>
internal sealed class EvidenceCapture
{
    /// <summary>Attention is turned into scores once it takes more than this.</summary>
    private const long MaxAttentionBytes = 256 << 20;

    /// <summary>Rows of W_O that are read and multiplied together take about so many bytes.</summary>
    private const int SliceBytes = 4 << 20;

    private readonly VisionLanguageModel _model;
    private readonly Completion _completion;
    private readonly AttentionEvidence _products;
    private readonly HashSet<int> _attentionLayers;
    private readonly List<EvidenceStep> _steps = [];

    public EvidenceCapture(VisionLanguageModel model, Completion completion)
    {
        _model = model;
        _completion = completion;
        _products = new AttentionEvidence(model.Options.ThreadCount);
        _attentionLayers = [.. model.Facts.AttentionLayers];
    }

    /// <summary>The evidence so far, one entry per answer token.</summary>
    public IReadOnlyList<EvidenceStep> Steps => _steps;

    /// <summary>Computes what is ready if it takes much memory, so that a long answer does not take all.</summary>
    public void TakeIfLarge(IReadOnlyList<GeneratedToken> tokens, CancellationToken cancellationToken)
    {
        if (_completion.Attention!.ByteCount > MaxAttentionBytes)
        {
            Take(tokens, cancellationToken);
        }
    }

    /// <summary>Computes the evidence of all tokens that have none yet.</summary>
    /// <param name="tokens">The answer's tokens so far.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public void Take(IReadOnlyList<GeneratedToken> tokens, CancellationToken cancellationToken)
    {
        var attention = _completion.Attention!;
        List<Query> queries = [];
        List<int[]> ids = [];
        foreach (var rows in attention.Rows)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                var index = rows.FirstPosition + row + 1 - _completion.PromptTokenCount;
                if (index >= _steps.Count && index < tokens.Count)
                {
                    int[] own = [tokens[index].Id, .. tokens[index].Candidates.Select(candidate => candidate.Id)];
                    ids.Add([.. own.Distinct()]);
                    queries.AddRange(ids[^1].Select(id => new Query(rows, row, id)));
                }
            }
        }

        if (queries.Count > 0)
        {
            Compute(attention, queries, ids, cancellationToken);
        }

        attention.ReleaseBefore(_completion.PromptTokenCount - 1 + tokens.Count);
    }

    private void Compute(
        CapturedAttention attention,
        List<Query> queries,
        List<int[]> ids,
        CancellationToken cancellationToken
    )
    {
        var facts = attention.Facts;
        var directions = Directions(queries, cancellationToken);
        List<double[]> scores = [.. queries.Select(query => new double[query.Rows.FirstPosition + query.Row + 1])];
        var querySize = facts.HeadCount * facts.HeadSize;
        var projected = new float[queries.Count * querySize];
        foreach (var layer in facts.AttentionLayers)
        {
            ProjectBack(layer, directions, projected, cancellationToken);
            ApplyGates(layer, queries, projected, querySize);
            AddLayer(attention, layer, queries, projected, scores, cancellationToken);
        }

        var next = 0;
        foreach (var step in ids)
        {
            var (first, count) = (next, step.Length);
            next += count;
            _steps.Add(
                new EvidenceStep
                {
                    TokenIds = [.. step],
                    Scores = scores[first..next].SelectMany(row => row, (_, score) => (float)score).ToArray(),
                    Rest = [.. Enumerable.Range(first, count).Select(n => Rest(queries[n], DirectionOf(n)))],
                    Logits = [.. Enumerable.Range(first, count).Select(n => Logit(queries[n], DirectionOf(n)))],
                }
            );
        }

        ReadOnlyMemory<float> DirectionOf(int n) => directions.AsMemory(n * facts.HiddenSize, facts.HiddenSize);
    }

    /// <summary>d = s g (w_t - mean w) of each query [n, D].</summary>
    private float[] Directions(List<Query> queries, CancellationToken cancellationToken)
    {
        var size = _model.Facts.HiddenSize;
        var mean = _model.OutputEmbedding.ReadMean(cancellationToken).Span;
        var weight = _model.OutputNorm.Weight;
        var directions = _model.OutputEmbedding.ReadRows([.. queries.Select(query => query.TokenId)]);
        for (var n = 0; n < queries.Count; n++)
        {
            var scale = _model.OutputNorm.Scale(LastResidual(queries[n]));
            var direction = directions.AsSpan(n * size, size);
            for (var d = 0; d < size; d++)
            {
                direction[d] = (direction[d] - mean[d]) * weight[d] * scale;
            }
        }

        return directions;
    }

    private void ProjectBack(int layer, float[] directions, float[] projected, CancellationToken cancellationToken)
    {
        var (size, querySize) = (_model.Facts.HiddenSize, _model.AttentionOutput.QuerySize);
        var sliceRows = Math.Clamp(SliceBytes / sizeof(float) / querySize, 1, size);
        var slice = new float[sliceRows * querySize];
        Array.Clear(projected);
        for (var first = 0; first < size; first += sliceRows)
        {
            var rows = slice.AsSpan(0, Math.Min(sliceRows, size - first) * querySize);
            _model.AttentionOutput.ReadSlice(layer, first, rows, cancellationToken);
            _products.ProjectBack(rows, first, directions, size, projected, cancellationToken);
        }
    }

    /// <summary>What a gate lets through of what its query read goes on to the output matrix.</summary>
    private static void ApplyGates(int layer, List<Query> queries, float[] projected, int querySize)
    {
        for (var n = 0; n < queries.Count; n++)
        {
            var gates = queries[n].Rows.GatesOf(layer).Span;
            if (!gates.IsEmpty)
            {
                var part = projected.AsSpan(n * querySize, querySize);
                TensorPrimitives.Multiply(part, gates.Slice(queries[n].Row * querySize, querySize), part);
            }
        }
    }

    /// <summary>The heads that read the same values, those of one KV head, are added together.</summary>
    private void AddLayer(
        CapturedAttention attention,
        int layer,
        List<Query> queries,
        float[] projected,
        List<double[]> scores,
        CancellationToken cancellationToken
    )
    {
        var (headCount, headSize) = (attention.Facts.HeadCount, attention.Facts.HeadSize);
        var shared = headCount / attention.Facts.KeyValueHeadCount;
        var own = new float[queries.Count * shared * headSize];
        List<double[]> sums = [.. scores.SelectMany(each => Enumerable.Repeat(each, shared))];
        for (var first = 0; first < headCount; first += shared)
        {
            List<ReadOnlyMemory<float>> weights = [];
            for (var n = 0; n < queries.Count; n++)
            {
                projected
                    .AsSpan(((n * headCount) + first) * headSize, shared * headSize)
                    .CopyTo(own.AsSpan(n * shared * headSize));
                var (rows, row, _) = queries[n];
                weights.AddRange(
                    Enumerable
                        .Range(first, shared)
                        .Select(head =>
                            rows.WeightsOf(layer)
                                .Slice(((head * rows.Count) + row) * rows.ColumnCount, scores[n].Length)
                        )
                );
            }

            _products.AddShares(
                attention.ValuesOf(layer).Span,
                attention.ValueSize,
                first / shared * headSize,
                own,
                weights,
                sums,
                cancellationToken
            );
        }
    }

    /// <summary>The part of a logit that the input embedding, feed-forward and recurrent layers wrote.</summary>
    private float Rest(Query query, ReadOnlyMemory<float> direction)
    {
        var rows = query.Rows;
        var rest = PartOf(rows.Embeddings);
        for (var layer = 0; layer < _model.Facts.LayerCount; layer++)
        {
            var before =
                _attentionLayers.Contains(layer) ? rows.AttentionResidualOf(layer)
                : layer == 0 ? rows.Embeddings
                : rows.ResidualOf(layer - 1);
            rest += PartOf(rows.ResidualOf(layer)) - PartOf(before);
        }

        return (float)rest;

        double PartOf(ReadOnlyMemory<float> residual) => HiddenRows.Dot(RowOf(query, residual), direction.Span);
    }

    private float Logit(Query query, ReadOnlyMemory<float> direction) =>
        (float)HiddenRows.Dot(LastResidual(query), direction.Span);

    private ReadOnlySpan<float> LastResidual(Query query) =>
        RowOf(query, query.Rows.ResidualOf(_model.Facts.LayerCount - 1));

    private ReadOnlySpan<float> RowOf(Query query, ReadOnlyMemory<float> residual) =>
        residual.Span.Slice(query.Row * _model.Facts.HiddenSize, _model.Facts.HiddenSize);

    /// <summary>A token whose logit is explained, and the captured row that predicts it.</summary>
    private readonly record struct Query(AttentionRows Rows, int Row, int TokenId);
}
