namespace Tamx;

/// <summary>What each earlier position gives to a token, where maps are no products of rows.</summary>
internal abstract class PositionScores
{
    /// <summary>The scores of an id at a step.</summary>
    /// <param name="step">The answer token.</param>
    /// <param name="tokenId">Its id, or that of one of its candidates.</param>
    /// <returns>One value, at least 0, for each position before the token.</returns>
    public abstract float[] Of(ExplainedStep step, int tokenId);

    /// <summary>The scores that a method takes from a trace; null for TAM, which has none.</summary>
    /// <exception cref="TraceFormatException">The trace lacks what the method needs.</exception>
    public static PositionScores? For(Trace trace, SequenceLayout layout, TamOptions options) =>
        options.Method switch
        {
            MapMethod.Evidence => new EvidenceScores(trace, layout),
            MapMethod.Lens => new LensScores(trace, options.Layer),
            MapMethod.Joint => new JointScores(
                new EvidenceScores(trace, layout),
                new LensScores(trace, options.Layer),
                layout
            ),
            _ => null,
        };

    /// <summary>The positive part of what attention wrote towards the token's logit.</summary>
    private sealed class EvidenceScores : PositionScores
    {
        private readonly IReadOnlyList<EvidenceStep> _steps;
        private readonly int _answerStart;

        public EvidenceScores(Trace trace, SequenceLayout layout)
        {
            _steps =
                trace.Evidence
                ?? throw new TraceFormatException(
                    trace.SourcePath,
                    (FormattableString)
                        $"holds no evidence, which needs the model's attention; make it again with evidence ({new Setting(nameof(TamOptions.Method))})"
                );
            _answerStart = layout.AnswerPositions[0];
        }

        public override float[] Of(ExplainedStep step, int tokenId)
        {
            var evidence = _steps[step.Position - _answerStart];
            var signed = evidence.ScoresOf(evidence.TokenIds.IndexOf(tokenId));
            var scores = new float[signed.Length];
            System.Numerics.Tensors.TensorPrimitives.Max(signed, 0, scores);
            return scores;
        }
    }

    /// <summary>The mean of both, each over its largest value in the cells before the token.</summary>
    private sealed class JointScores(EvidenceScores evidence, LensScores lens, SequenceLayout layout) : PositionScores
    {
        public override float[] Of(ExplainedStep step, int tokenId)
        {
            var scores = evidence.Of(step, tokenId);
            var probabilities = lens.Of(step, tokenId);
            var (most, likeliest) = (LargestOf(scores), LargestOf(probabilities));
            for (var position = 0; position < scores.Length; position++)
            {
                scores[position] = ((scores[position] / most) + (probabilities[position] / likeliest)) / 2;
            }

            return scores;
        }

        /// <summary>The largest value of a cell; without cells, or where all are 0, 1.</summary>
        private float LargestOf(float[] scores)
        {
            var largest = 0f;
            foreach (var block in layout.VisionBlocks.Where(block => block.EndPosition < scores.Length))
            {
                var cells = scores.AsSpan(block.FirstCellPosition, block.CellCount);
                largest = Math.Max(largest, System.Numerics.Tensors.TensorPrimitives.Max<float>(cells));
            }

            return largest > 0 ? largest : 1;
        }
    }

    /// <summary>The token's probability over the vocabulary at each position.</summary>
    private sealed class LensScores : PositionScores
    {
        private readonly TraceRows _rows;
        private readonly ReadOnlyMemory<float> _logSums;

        public LensScores(Trace trace, int layer)
        {
            _rows = new TraceRows(trace, layer);
            _logSums =
                trace.LayerAt(layer).LogSums
                ?? throw new TraceFormatException(
                    trace.SourcePath,
                    (FormattableString)
                        $"holds layer {layer} without sums over the vocabulary; make it again with the logit lens ({new Setting(nameof(TamOptions.Method))})"
                );
        }

        public override float[] Of(ExplainedStep step, int tokenId)
        {
            var row = _rows.RowOf(tokenId);
            var scores = new float[step.Position];
            for (var position = 0; position < scores.Length; position++)
            {
                var logit = Kernels.HiddenRows.Dot(row, _rows.StatesOf(position, 1));
                scores[position] = (float)Math.Exp(logit - _logSums.Span[position]);
            }

            GC.KeepAlive(_rows);
            return scores;
        }
    }
}
