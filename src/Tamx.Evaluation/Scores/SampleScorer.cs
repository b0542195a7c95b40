namespace Tamx.Evaluation;

/// <summary>Scores one sample's maps.</summary>
internal sealed class SampleScorer
{
    private readonly EvaluationSample _sample;
    private readonly IReadOnlyList<AnswerWord> _words;
    private readonly IReadOnlyList<MatchedWord> _matched;
    private readonly List<(MatchedWord Word, PixelMask Region, double Ceiling)> _targets = [];
    private readonly PatchGrid _grid;

    /// <summary>Finds the words of an answer.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="words">The answer's words.</param>
    /// <param name="grid">The cells of the maps.</param>
    public SampleScorer(EvaluationSample sample, IReadOnlyList<AnswerWord> words, PatchGrid grid)
    {
        _sample = sample;
        _grid = grid;
        _words = words;
        _matched = WordMatching.Match(_words, sample);

        // What a word is scored against is the same for all kinds of maps.
        foreach (var word in _matched)
        {
            var region = word.Labels.Count == 0 ? sample.Labels.MaskOfAll() : sample.Labels.MaskOf(word.Labels);
            if (region.Count > 0)
            {
                var perfect = region.Coverage(grid.Rows, grid.Columns);
                _targets.Add((word, region, MapScore.Of(perfect, grid.Rows, grid.Columns, region).ObjIou));
            }
        }
    }

    /// <summary>The nouns' tokens, each word's first.</summary>
    public IEnumerable<int> NounTokens =>
        _targets.Where(target => target.Word.Kind == WordKind.Noun).Select(target => target.Word.Word.TokenIndices[0]);

    /// <summary>Scores the maps of one kind.</summary>
    /// <param name="source">What they were computed from.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="maps">Per token of the answer its map, values in [0, 1].</param>
    /// <param name="areas">Curves by a word's first token, where they were measured; null for none.</param>
    public IEnumerable<WordRow> Score(
        MapSource source,
        MapKind kind,
        IReadOnlyList<float[]> maps,
        IReadOnlyDictionary<int, PerturbationAreas>? areas = null
    )
    {
        foreach (var (word, region, ceiling) in _targets)
        {
            var best = word
                .Word.TokenIndices.Select(token => MapScore.Of(maps[token], _grid.Rows, _grid.Columns, region))
                .MaxBy(score => score.ObjIou);
            var measured =
                areas is not null && areas.TryGetValue(word.Word.TokenIndices[0], out var found)
                    ? found
                    : (PerturbationAreas?)null;
            yield return WordRow.Of(word, source, kind, best, ceiling, measured);
        }
    }

    /// <summary>The figures of the paper's protocol for the maps of one kind.</summary>
    public PaperFigures ScoreAsPaper(IReadOnlyList<float[]> maps)
    {
        byte[][] bytes = [.. maps.Select(map => ByteMap.FromUnit(map))];
        if (_sample.Words is null)
        {
            var categories = PaperProtocol.Label(_words, _sample.Categories);
            return PaperProtocol.Evaluate(_words, categories, bytes, _grid.Rows, _grid.Columns, _sample.Labels);
        }

        // A noun's category is all objects it stands for, named after the first of them.
        var labels = PaperProtocol.Label(_words, []);
        foreach (var (word, kind, objects) in _matched)
        {
            labels[IndexOf(word)] = kind switch
            {
                WordKind.Noun => objects[0],
                WordKind.Function => PaperLabel.Function,
                _ => PaperLabel.Other,
            };
        }

        var nouns = _sample.Words.Where(word => word.Kind == WordKind.Noun);
        var truth = _sample.Labels.Join(nouns.Select(word => word.Labels));
        return PaperProtocol.Evaluate(_words, labels, bytes, _grid.Rows, _grid.Columns, truth);
    }

    /// <summary>
    /// One map of the whole answer: the sum of its scored nouns' maps, each over its maximum. Where no noun is scored,
    /// it is the sum of all its tokens' maps.
    /// </summary>
    public float[] AnswerMap(IReadOnlyList<float[]> maps)
    {
        var nouns = _matched.Where(word => word.Kind == WordKind.Noun);
        int[] tokens = [.. nouns.SelectMany(word => word.Word.TokenIndices)];
        var sum = new float[_grid.CellCount];
        foreach (var map in tokens.Length > 0 ? tokens.Select(token => maps[token]) : maps)
        {
            var maximum = map.Max();
            for (var cell = 0; cell < sum.Length && maximum > 0; cell++)
            {
                sum[cell] += map[cell] / maximum;
            }
        }

        return sum;
    }

    private int IndexOf(AnswerWord word)
    {
        var index = 0;
        while (_words[index] != word)
        {
            index++;
        }

        return index;
    }
}
