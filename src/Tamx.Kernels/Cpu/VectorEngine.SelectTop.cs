using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <content>The best tokens of a vocabulary: a panel of its rows at a time, whose logits are looked through while they are in the cache.</content>
internal sealed unsafe partial class VectorEngine<TSimd, TVector>
{
    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        query.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        var (stateCount, rowCount, hiddenSize) = (query.StateCount, query.OutputRowCount, query.HiddenSize);
        var (count, firstId) = (query.TopCount, query.FirstId);
        var panelCount = (rowCount + PanelSize - 1) / PanelSize;
        if (stateCount == 0 || panelCount == 0)
        {
            return;
        }

        // Which tokens are best does not depend on the order they are looked at, so each worker has a list of its own. A sum does: there is one per panel.
        var found = new TokenScore[]?[_panels.Length];
        var panelSums = new double[panelCount][];
        fixed (float* fixedStates = query.States, fixedRows = query.OutputRows)
        {
            var from = fixedRows;
            _projection.Pack(fixedStates, stateCount, hiddenSize, _workers, cancellationToken);
            _workers.Run(
                panelCount,
                (worker, panel) =>
                {
                    var tokens = found[worker] ??= [.. Enumerable.Repeat(TokenScore.None, stateCount * count)];
                    var first = panel * PanelSize;
                    var rows = Math.Min(PanelSize, rowCount - first);
                    var logits = _panels[worker].Reserve(_projection.ScratchSize + (long)stateCount * PanelSize);
                    _projection.ProjectPanel(from + (long)first * hiddenSize, rows, logits + (long)stateCount * PanelSize, rectifies: false, logits);
                    panelSums[panel] = new double[stateCount];
                    for (var p = 0; p < stateCount; p++)
                    {
                        panelSums[panel][p] = LookThrough(logits + (long)p * PanelSize, rows, firstId + first, tokens.AsSpan(p * count, count));
                    }
                },
                cancellationToken);
        }

        for (var p = 0; p < stateCount; p++)
        {
            foreach (var sums in panelSums)
            {
                query.LogSums[p] = TopTokens.Join(query.LogSums[p], sums[p]);
            }

            foreach (var tokens in found.OfType<TokenScore[]>())
            {
                foreach (var token in tokens.AsSpan(p * count, count))
                {
                    TopTokens.Insert(query.BestOf(p), token);
                }
            }
        }
    }

    /// <summary>Enters a panel's best tokens for one state.</summary>
    /// <param name="logits">The state's logits [<see cref="PanelSize"/>], which are written over.</param>
    /// <param name="count">Rows of the panel.</param>
    /// <param name="firstId">Token id of its first.</param>
    /// <param name="best">The best so far, best first.</param>
    /// <returns>The log-sum-exp of the panel's logits.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double LookThrough(float* logits, int count, int firstId, Span<TokenScore> best)
    {
        new Span<float>(logits + count, PanelSize - count).Fill(float.NegativeInfinity);
        var largest = MapSteps<TSimd, TVector>.Range(logits, PanelSize).Maximum;
        if (!(largest < best[^1].Logit))
        {
            for (var i = 0; i < count; i++)
            {
                if (logits[i] >= best[^1].Logit)
                {
                    TopTokens.Insert(best, new TokenScore(firstId + i, logits[i]));
                }
            }
        }

        var values = new Span<float>(logits, PanelSize);
        TensorPrimitives.Subtract(values, largest, values);
        TensorPrimitives.Exp(values, values);
        return largest + Math.Log(TensorPrimitives.Sum<float>(values));
    }
}
