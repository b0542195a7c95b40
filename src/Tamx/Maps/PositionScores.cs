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

            return scores;
        }
    }
}
