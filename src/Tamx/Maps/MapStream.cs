using Tamx.Kernels;

namespace Tamx;

/// <summary>The method token by token: each answer token is explained when it comes, at the cost of its own rows.</summary>
/// <remarks>
/// A token's map depends on nothing that comes after it, and its normalisation covers itself and its own candidates only, so nothing changes
/// later. <see cref="MapComputation"/> says how the results compare with those of the whole answer at once.
/// </remarks>
internal sealed class MapStream
{
    private readonly StreamRows _rows;
    private readonly ContextText _text;
    private readonly MapComputation _computation;

    /// <summary>Starts with the prompt and the first answer token, and explains them.</summary>
    /// <param name="start">A trace of the prompt and its first answer token, with that token's candidates.</param>
    /// <param name="options">Options of the method.</param>
    /// <param name="engine">The engine, which stays the caller's.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public MapStream(Trace start, TamOptions options, ITamEngine engine, CancellationToken cancellationToken = default)
    {
        options.Validate();
        start.Validate();
        Layout = SequenceLayout.Parse(start, options);
        start.RequireRows(Layout);
        _rows = new StreamRows(start);
        _text = new ContextText(Layout, start.TokenIds, start.OutputIds, _rows, options);
        _computation = new MapComputation(_rows, Layout, _text, options, engine, keepsActivations: true);
        Prompt = options.ExplainPrompt && _text.ContextCount > 0 ? _computation.Explain([.. ActivationMaps.PromptSteps(_text)], cancellationToken) : [];
        First = Explain(ActivationMaps.AnswerStep(start, Layout, 0), cancellationToken);
    }

    /// <summary>The layout up to the first answer token.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>The prompt's tokens, where the options explain them.</summary>
    public IReadOnlyList<AnswerToken> Prompt { get; }

    /// <summary>The first answer token.</summary>
    public AnswerToken First { get; }

    /// <summary>Explains the next answer token.</summary>
    /// <param name="tokenId">Its id.</param>
    /// <param name="probability">Its probability, or NaN.</param>
    /// <param name="candidateIds">The step's candidates.</param>
    /// <param name="candidateProbabilities">Their probabilities, or null.</param>
    /// <param name="predictingState">The hidden state that predicted it, which is the token's before.</param>
    /// <param name="readRow">Gives output-embedding row and text of an id that has not been in use so far.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public AnswerToken Next(
        int tokenId,
        float probability,
        IReadOnlyList<int> candidateIds,
        IReadOnlyList<float>? candidateProbabilities,
        float[] predictingState,
        Func<int, (float[] Row, byte[]? Text)> readRow,
        CancellationToken cancellationToken = default)
    {
        int position = _text.PositionAt(_text.Count - 1) + 1;
        _rows.AddState(position - 1, predictingState);
        foreach (int id in candidateIds.Prepend(tokenId))
        {
            _rows.AddOutput(id, readRow);
        }

        return Explain(
            new ExplainedStep(position, _text.Count, _text.Count, tokenId, tokenId, probability, candidateIds, candidateProbabilities), cancellationToken);
    }

    private AnswerToken Explain(ExplainedStep step, CancellationToken cancellationToken)
    {
        var token = _computation.Explain([step], cancellationToken)[0];
        _text.Add(step.Position, step.TokenId);
        return token;
    }

    /// <summary>A run's rows that grow with the answer.</summary>
    private sealed class StreamRows(Trace start) : IRunRows
    {
        private readonly IRunRows _start = start;
        private readonly List<float[]> _states = [];
        private readonly Dictionary<int, (float[] Row, byte[]? Text)> _outputs = [];

        public int HiddenSize => _start.HiddenSize;

        public ReadOnlySpan<float> StatesOf(int firstPosition, int count) =>
            firstPosition < start.TokenIds.Length - 1 ? _start.StatesOf(firstPosition, count) : _states[firstPosition - (start.TokenIds.Length - 1)];

        public ReadOnlySpan<float> RowOf(int tokenId) => IsInStart(tokenId) ? _start.RowOf(tokenId) : _outputs[tokenId].Row;

        public byte[]? FindText(int tokenId) => IsInStart(tokenId) ? _start.FindText(tokenId) : _outputs[tokenId].Text;

        public void AddState(int position, float[] state)
        {
            if (HiddenRows.IndexOfNonFinite(state, HiddenSize) >= 0)
            {
                throw start.Fault($"the hidden state at position {position} holds NaN or an infinity; all values must be finite");
            }

            _states.Add(state);
        }

        public void AddOutput(int tokenId, Func<int, (float[] Row, byte[]? Text)> readRow)
        {
            if (!IsInStart(tokenId) && !_outputs.ContainsKey(tokenId))
            {
                _outputs.Add(tokenId, readRow(tokenId));
            }
        }

        private bool IsInStart(int tokenId) => Array.BinarySearch(start.OutputIds, tokenId) >= 0;
    }
}
