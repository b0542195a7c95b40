using System.CommandLine;
using Tamx.Evaluation;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Cli;

/// <summary>The options that ask how far an answer's words, and their maps, are to be believed.</summary>
internal sealed class TruthArguments
{
    private readonly Option<bool> _verdicts = new("--verdicts")
    {
        Description =
            "Measure for each word how far the picture supports it: the model reads the answer once more with a neutral picture.",
    };

    private readonly Option<bool> _check = new("--check")
    {
        Description =
            "Check the maps of the answer's content words: their probability while lit cells are hidden, and shown alone. About 24 runs of the model per word.",
    };

    private readonly Option<int?> _regions = new("--regions")
    {
        Description =
            "Search, for each content word, the fewest of 16 regions that keep it alone and the fewest without which it is lost, with at most N runs of the model per word (272 are always enough).",
        HelpName = "N",
    };

    public TruthArguments() => _regions.RequireWithin(1, RegionSearch.FullBudget);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_verdicts);
        command.Options.Add(_check);
        command.Options.Add(_regions);
    }

    /// <summary>What the command line asks for, as others must ask for it to get the same.</summary>
    public (bool Verdicts, bool Check, int? Regions) Read(ParseResult parsed) =>
        (parsed.GetValue(_verdicts), parsed.GetValue(_check), parsed.GetValue(_regions));

    /// <summary>Measures what the command line asks for.</summary>
    public async Task<MeasuredTruth> MeasureAsync(
        ParseResult parsed,
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> turns,
        Explanation explanation,
        ModelCalibration? calibration,
        CancellationToken cancellationToken
    )
    {
        var (verdicts, check, regions) = Read(parsed);
        return new MeasuredTruth(
            verdicts
                ? await WordSupport.MeasureAsync(
                    model,
                    turns,
                    explanation,
                    calibration,
                    cancellationToken: cancellationToken
                )
                : [],
            check
                ? await OfContentWordsAsync(index =>
                    MapCheck.MeasureAsync(model, turns, explanation.Maps, index, cancellationToken: cancellationToken)
                )
                : [],
            regions is { } budget
                ? await OfContentWordsAsync(index =>
                    RegionSearch.RunAsync(model, turns, explanation.Maps, index, budget, cancellationToken)
                )
                : []
        );

        async Task<IReadOnlyList<T>> OfContentWordsAsync<T>(Func<int, Task<T?>> measure)
            where T : class
        {
            List<T> found = [];
            foreach (var (index, word) in explanation.Maps.Words.Index())
            {
                if (ContentWords.Contains(word.Word.Text) && await measure(index) is { } result)
                {
                    found.Add(result);
                }
            }

            return found;
        }
    }
}

/// <summary>What was measured of an answer's words. Each is empty where it was not asked for.</summary>
internal sealed record MeasuredTruth(
    IReadOnlyList<WordSupport> Supports,
    IReadOnlyList<MapCheck> Checks,
    IReadOnlyList<RegionSearch> Searches
);
