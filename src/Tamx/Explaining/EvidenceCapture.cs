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
    private readonly HashSet<int> _attentionLayers;
    private readonly List<EvidenceStep> _steps = [];

    public EvidenceCapture(VisionLanguageModel model, Completion completion)
    {
        _model = model;
        _completion = completion;
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
        foreach (var rows in attention.Rows)
        {
            List<(int Row, GeneratedToken Token)> ready = [];
            for (var row = 0; row < rows.Count; row++)
            {
                var index = rows.FirstPosition + row + 1 - _completion.PromptTokenCount;
                if (index >= _steps.Count && index < tokens.Count)
                {
                    ready.Add((row, tokens[index]));
                }
            }

            if (ready.Count > 0)
            {
                _steps.AddRange(Compute(attention, rows, ready, cancellationToken));
            }
        }

        attention.ReleaseBefore(_completion.PromptTokenCount - 1 + tokens.Count);
    }

    private EvidenceStep[] Compute(
        CapturedAttention attention,
        AttentionRows rows,
        List<(int Row, GeneratedToken Token)> ready,
        CancellationToken cancellationToken
    )
    {
        var facts = attention.Facts;
        int[][] ids =
        [
            .. ready
                .Select(item => item.Token.Candidates.Select(candidate => candidate.Id).Prepend(item.Token.Id))
                .Select(step => step.Distinct().ToArray()),
        ];
        int[] rowOf = [.. ids.Index().SelectMany(step => step.Item.Select(_ => ready[step.Index].Row))];
        var directions = Directions([.. ids.SelectMany(step => step)], rowOf, rows, cancellationToken);
        var scores = new double[rowOf.Length][];
        for (var n = 0; n < scores.Length; n++)
        {
            scores[n] = new double[rows.FirstPosition + rowOf[n] + 1];
        }

        var querySize = facts.HeadCount * facts.HeadSize;
        var projected = new float[rowOf.Length * querySize];
        foreach (var layer in facts.AttentionLayers)
        {
            ProjectBack(layer, directions, projected, cancellationToken);
            ApplyGates(rows.GatesOf(layer).Span, rowOf, projected, querySize);
            AddLayer(attention, rows, layer, rowOf, projected, scores, cancellationToken);
        }

        var steps = new EvidenceStep[ready.Count];
        var next = 0;
        for (var i = 0; i < steps.Length; i++)
        {
            var (first, count) = (next, ids[i].Length);
            next += count;
            steps[i] = new EvidenceStep
            {
                TokenIds = [.. ids[i]],
                Scores = scores[first..next].SelectMany(row => row, (_, score) => (float)score).ToArray(),
                Rest = [.. Enumerable.Range(first, count).Select(n => Rest(rows, rowOf[n], DirectionOf(n)))],
                Logits = [.. Enumerable.Range(first, count).Select(n => Logit(rows, rowOf[n], DirectionOf(n)))],
            };
        }

        return steps;

        ReadOnlyMemory<float> DirectionOf(int n) => directions.AsMemory(n * facts.HiddenSize, facts.HiddenSize);
    }

    /// <summary>d = s g (w_t - mean w) for each id at its row [n, D].</summary>
    private float[] Directions(int[] ids, int[] rowOf, AttentionRows rows, CancellationToken cancellationToken)
    {
        var size = _model.Facts.HiddenSize;
        var mean = _model.OutputEmbedding.ReadMean(cancellationToken).Span;
        var weight = _model.OutputNorm.Weight;
        var directions = _model.OutputEmbedding.ReadRows(ids);
        var last = rows.ResidualOf(_model.Facts.LayerCount - 1).Span;
        for (var n = 0; n < ids.Length; n++)
        {
            var scale = _model.OutputNorm.Scale(last.Slice(rowOf[n] * size, size));
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
            var count = Math.Min(sliceRows, size - first);
            _model.AttentionOutput.ReadSlice(layer, first, slice.AsSpan(0, count * querySize), cancellationToken);
            ForEach(
                directions.Length / size,
                n =>
                    AttentionEvidence.ProjectBack(
                        slice.AsSpan(0, count * querySize),
                        first,
                        directions.AsSpan(n * size, size),
                        size,
                        projected.AsSpan(n * querySize, querySize)
                    ),
                cancellationToken
            );
        }
    }

    /// <summary>What a gate lets through of what its query read goes on to the output matrix.</summary>
    private static void ApplyGates(ReadOnlySpan<float> gates, int[] rowOf, float[] projected, int querySize)
    {
        for (var n = 0; n < rowOf.Length && !gates.IsEmpty; n++)
        {
            var part = projected.AsSpan(n * querySize, querySize);
            TensorPrimitives.Multiply(part, gates.Slice(rowOf[n] * querySize, querySize), part);
        }
    }

    private void AddLayer(
        CapturedAttention attention,
        AttentionRows rows,
        int layer,
        int[] rowOf,
        float[] projected,
        double[][] scores,
        CancellationToken cancellationToken
    )
    {
        var facts = attention.Facts;
        var (headSize, perValueHead) = (facts.HeadSize, facts.HeadCount / facts.KeyValueHeadCount);
        var weights = rows.WeightsOf(layer);
        var values = attention.ValuesOf(layer);
        ForEach(
            rowOf.Length,
            n =>
            {
                for (var head = 0; head < facts.HeadCount; head++)
                {
                    var start = ((head * rows.Count) + rowOf[n]) * rows.ColumnCount;
                    AttentionEvidence.Add(
                        weights.Span.Slice(start, scores[n].Length),
                        values.Span,
                        attention.ValueSize,
                        head / perValueHead * headSize,
                        projected.AsSpan(((n * facts.HeadCount) + head) * headSize, headSize),
                        scores[n]
                    );
                }
            },
            cancellationToken
        );
    }

    /// <summary>The part of a logit that the input embedding, feed-forward and recurrent layers wrote.</summary>
    private float Rest(AttentionRows rows, int row, ReadOnlyMemory<float> direction)
    {
        var size = _model.Facts.HiddenSize;
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

        double PartOf(ReadOnlyMemory<float> residual) =>
            HiddenRows.Dot(residual.Span.Slice(row * size, size), direction.Span);
    }

    private float Logit(AttentionRows rows, int row, ReadOnlyMemory<float> direction)
    {
        var size = _model.Facts.HiddenSize;
        var last = rows.ResidualOf(_model.Facts.LayerCount - 1).Span.Slice(row * size, size);
        return (float)HiddenRows.Dot(last, direction.Span);
    }

    private void ForEach(int count, Action<int> work, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = _model.Options.ThreadCount,
            CancellationToken = cancellationToken,
        };
        Parallel.For(0, count, options, work);
    }
}
