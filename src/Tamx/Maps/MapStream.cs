using System.Collections.Immutable;
using Tamx.Kernels;

namespace Tamx;

/// <summary>
/// The method token by token. Each answer token is explained when it comes, at the cost of its own rows.
/// </summary>
/// <remarks>
/// A token's map depends on nothing after it. Its normalisation covers only the token and its candidates. So no result
/// changes later. <see cref="MapComputation"/> compares the results with those of a whole answer.
/// </remarks>
internal sealed class MapStream
{
    private readonly StreamRows _rows;
    private readonly ContextText _text;
    private readonly MapComputation _computation;
    private readonly int _answerStart;

    /// <summary>Starts with the prompt, and explains it if the options ask for that.</summary>
    /// <param name="prompt">A trace of the prompt alone, with the hidden states of all its positions.</param>
    /// <param name="options">Options of the method.</param>
    /// <param name="engine">The engine, which stays the caller's.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public MapStream(Trace prompt, TamOptions options, ITamEngine engine, CancellationToken cancellationToken = default)
    {
        options.Validate();
        prompt.Validate();
        var layout = prompt.ParsePromptLayout(options);
        new TraceRows(prompt).Require(layout);
        _rows = new StreamRows(prompt, options.Layer);
        _text = new ContextText(layout, prompt.TokenIds.AsSpan(), prompt.OutputIds, _rows, options);
        _answerStart = prompt.TokenIds.Length;
        _computation = new MapComputation(_rows, layout, _text, options, engine, keepsActivations: true);
        Prompt = ActivationMaps.Assemble(
            layout,
            options,
            engine,
            options.ExplainPrompt && _text.ContextCount > 0
                ? _computation.Explain([.. ActivationMaps.PromptSteps(_text)], cancellationToken)
                : [],
            [],
            prompt
        );
    }

    /// <summary>Layout, options and the prompt's explained tokens; the answer is empty.</summary>
    public ActivationMaps Prompt { get; }

    /// <summary>Explains the next answer token.</summary>
    /// <param name="tokenId">Its id.</param>
    /// <param name="probability">Its probability, or NaN.</param>
    /// <param name="candidateIds">The step's candidates.</param>
    /// <param name="candidateProbabilities">Their probabilities, or null.</param>
    /// <param name="predictingState">The last hidden state of the position before, which predicted it.</param>
    /// <param name="layerState">The same position's state in the layer that the maps are from.</param>
    /// <param name="readRow">Gives the output-embedding row and the text of an id that is new.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public AnswerToken Next(
        int tokenId,
        float probability,
        IReadOnlyList<int> candidateIds,
        IReadOnlyList<float>? candidateProbabilities,
        float[] predictingState,
        float[] layerState,
        Func<int, (float[] Row, ReadOnlyMemory<byte>? Text)> readRow,
        CancellationToken cancellationToken = default
    )
    {
        var position = _answerStart + _text.Count - _text.ContextCount;
        _rows.AddState(position - 1, layerState, predictingState);
        foreach (var id in candidateIds.Prepend(tokenId))
        {
            _rows.AddOutput(id, readRow);
        }

        var step = new ExplainedStep(
            position,
            _text.Count,
            _text.Count,
            tokenId,
            tokenId,
            probability,
            candidateIds,
            candidateProbabilities
        );
        var token = _computation.Explain([step], cancellationToken)[0];
        _text.Add(step.Position, step.TokenId);
        return token;
    }

    /// <summary>The rows of a run, which grow with the answer.</summary>
    private sealed class StreamRows(Trace prompt, int layer) : IRunRows
    {
        private readonly TraceRows _prompt = new(prompt, layer);
        private readonly List<(float[] Layer, float[] Final)> _states = [];
        private readonly Dictionary<int, (float[] Row, ReadOnlyMemory<byte>? Text)> _outputs = [];

        public int HiddenSize => prompt.HiddenSize;

        public ReadOnlySpan<float> StatesOf(int firstPosition, int count) =>
            firstPosition < prompt.HiddenRowCount
                ? _prompt.StatesOf(firstPosition, count)
                : _states[firstPosition - prompt.HiddenRowCount].Layer;

        public ReadOnlySpan<float> FinalStateAt(int position) =>
            position < prompt.HiddenRowCount
                ? _prompt.FinalStateAt(position)
                : _states[position - prompt.HiddenRowCount].Final;

        public ReadOnlySpan<float> RowOf(int tokenId) =>
            IsInPrompt(tokenId) ? _prompt.RowOf(tokenId) : _outputs[tokenId].Row;

        public ReadOnlyMemory<byte>? FindBytes(int tokenId) =>
            IsInPrompt(tokenId) ? _prompt.FindBytes(tokenId) : _outputs[tokenId].Text;

        public void AddState(int position, float[] layerState, float[] finalState)
        {
            if (position < prompt.HiddenRowCount)
            {
                return;
            }

            if (
                HiddenRows.IndexOfNonFinite(layerState, HiddenSize) >= 0
                || HiddenRows.IndexOfNonFinite(finalState, HiddenSize) >= 0
            )
            {
                throw prompt.Fault(
                    $"the hidden state at position {position} holds NaN or an infinity; all values must be finite"
                );
            }

            _states.Add((layerState, finalState));
        }

        public void AddOutput(int tokenId, Func<int, (float[] Row, ReadOnlyMemory<byte>? Text)> readRow)
        {
            if (!IsInPrompt(tokenId) && !_outputs.ContainsKey(tokenId))
            {
                _outputs.Add(tokenId, readRow(tokenId));
            }
        }

        private bool IsInPrompt(int tokenId) => prompt.OutputIds.BinarySearch(tokenId) >= 0;
    }
}
