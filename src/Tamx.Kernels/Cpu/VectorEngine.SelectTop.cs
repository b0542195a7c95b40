using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <content>
/// The best tokens of a vocabulary: one panel of its rows at a time. A panel's logits are searched while they are in
/// the cache.
/// </content>
internal sealed unsafe partial class VectorEngine<TSimd, TVector>
{
    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        query.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        var (stateCount, rowCount, hiddenSize) = (query.StateCount, query.OutputRowCount, query.HiddenSize);
        var (count, firstId) = (query.TopCount, query.FirstId);
        var panelCount = PanelCount(rowCount);
        if (stateCount == 0 || panelCount == 0)
        {
            return;
        }

        // The best tokens do not depend on the order of the search, so each worker has its own list. A sum does depend
        // on it, so each panel has its own.
        var found = new TokenScore[]?[_panels.Length];
        var panelSums = new double[panelCount][];
        fixed (
            float* fixedStates = query.States,
                fixedRows = query.OutputRows
        )
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
                    var logits = ProjectPanel(
                        worker,
                        from + (long)first * hiddenSize,
                        rows,
                        stateCount,
                        rectifies: false
                    );
                    panelSums[panel] = new double[stateCount];
                    for (var p = 0; p < stateCount; p++)
                    {
                        panelSums[panel][p] = SearchPanel(
                            logits + (long)p * PanelSize,
                            rows,
                            firstId + first,
                            tokens.AsSpan(p * count, count)
                        );
                    }
                },
                cancellationToken
            );
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

    /// <summary>Inserts a panel's best tokens for one state.</summary>
    /// <param name="logits">The state's logits [<see cref="PanelSize"/>], which are overwritten.</param>
    /// <param name="count">Rows of the panel.</param>
    /// <param name="firstId">Token id of the first row.</param>
    /// <param name="best">The best tokens so far, best first.</param>
    /// <returns>The log-sum-exp of the panel's logits.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SearchPanel(float* logits, int count, int firstId, Span<TokenScore> best)
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
