using System.Globalization;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>
/// The fewest regions of a picture that keep a word alone, and the fewest without which it is lost. The picture is
/// parted into 4 x 4 regions (fewer where it has fewer cells). The model reads the answer with some of them in grey.
/// </summary>
/// <remarks>
/// <para>
/// The word's map is where the search begins: regions are taken in the order of what the map has in them until they do,
/// and those that are not needed are dropped again. Then smaller sets are tried, the region that helps most first, as
/// long as the budget lasts. So a single region that does is found whatever the map shows. Of larger sets there may be
/// smaller ones.
/// </para>
/// <para>
/// A set keeps a word if its probability is at least half of that with the whole picture while all else is grey. It
/// loses it if hiding it takes the probability below that.
/// </para>
/// </remarks>
public sealed record RegionSearch
{
    /// <summary>Runs that are enough for every step of both searches: twice 16 + 15 + ... + 1.</summary>
    public const int FullBudget = 272;

    private const int RegionsPerSide = 4;

    /// <summary>The word's index in <see cref="ActivationMaps.Words"/>.</summary>
    public required int WordIndex { get; init; }

    /// <summary>The word.</summary>
    public required string Text { get; init; }

    /// <summary>Where the regions lie in the picture, row by row; sets name them by their index.</summary>
    public required IReadOnlyList<RegionBox> Regions { get; init; }

    /// <summary>Probability with the whole picture.</summary>
    public required double Whole { get; init; }

    /// <summary>Probability with the whole picture in grey.</summary>
    public required double Nothing { get; init; }

    /// <summary>
    /// The regions, row-major from 0, that keep the word alone. Empty if the word needs no picture.
    /// </summary>
    public required IReadOnlyList<int> Keeps { get; init; }

    /// <summary>Probability with these alone.</summary>
    public required double Kept { get; init; }

    /// <summary>
    /// The regions without which the word is lost; null if it needs no picture.
    /// </summary>
    public required IReadOnlyList<int>? Loses { get; init; }

    /// <summary>Probability without these; null if there are none.</summary>
    public required double? Left { get; init; }

    /// <summary>How often the model has read the answer.</summary>
    public required int RunCount { get; init; }

    /// <summary>The finding in words.</summary>
    public string Sentence =>
        Loses is null
            ? Invariant(
                $"\"{Text}\" needs no region of the picture: {Whole:P0} with it, {Nothing:P0} in grey ({RunCount} runs)."
            )
            : Invariant(
                $"\"{Text}\" stays with {Keeps.Count} of {Regions.Count} regions alone ({Whole:P0} to {Kept:P0}), and is lost without {Loses.Count} ({Left:P0}); {RunCount} runs."
            );

    /// <summary>Searches the last picture before a word.</summary>
    /// <param name="model">The model that gave the answer.</param>
    /// <param name="messages">The conversation that was explained.</param>
    /// <param name="maps">Its maps. Those of evidence are the best to begin with (docs/truth.md).</param>
    /// <param name="wordIndex">The word's index in <see cref="ActivationMaps.Words"/>.</param>
    /// <param name="budget">
    /// Most runs of the model. About 4 x regions are needed to find sets at all, and are always taken.
    /// </param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>What was found; null if no picture stands before the word.</returns>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<RegionSearch?> RunAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        ActivationMaps maps,
        int wordIndex,
        int budget = FullBudget,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(maps);
        if (MaskedPicture.Of(model, messages, maps, wordIndex) is not { } picture)
        {
            return null;
        }

        var grid = picture.Map.Grid;
        var (rows, columns) = (Math.Min(RegionsPerSide, grid.Rows), Math.Min(RegionsPerSide, grid.Columns));
        var cells = Enumerable
            .Range(0, grid.CellCount)
            .ToLookup(cell =>
                (cell / grid.Columns * rows / grid.Rows * columns) + (cell % grid.Columns * columns / grid.Columns)
            );
        var count = rows * columns;
        var values = picture.Map.Values.ToArray();
        int[] order =
        [
            .. Enumerable.Range(0, count).OrderByDescending(region => cells[region].Sum(cell => (double)values[cell])),
        ];

        // Both searches ask for sets that the other, or an earlier step, may have asked for.
        var known = new Dictionary<int, double>();
        var everything = (1 << count) - 1;
        var whole = await ShownAsync(everything).ConfigureAwait(false);
        var nothing = await ShownAsync(0).ConfigureAwait(false);
        var enough = whole / 2;
        if (nothing >= enough)
        {
            return Result([], null, whole, nothing);
        }

        var half = picture.RunCount + ((budget - picture.RunCount) / 2);
        var keeps = await SmallestAsync(ShownAsync, value => value >= enough, grows: true, half).ConfigureAwait(false);
        var loses = await SmallestAsync(HiddenAsync, value => value < enough, grows: false, budget)
            .ConfigureAwait(false);
        return Result(keeps, loses, whole, nothing);

        RegionSearch Result(int[] kept, int[]? lost, double wholeValue, double nothingValue) =>
            new()
            {
                WordIndex = wordIndex,
                Text = maps.Words[wordIndex].Word.Text,
                Regions = [.. Enumerable.Range(0, count).Select(BoxOf)],
                Whole = wholeValue,
                Nothing = nothingValue,
                Keeps = kept,
                Kept = known[SetOf(kept)],
                Loses = lost,
                Left = lost is null ? null : known[everything & ~SetOf(lost)],
                RunCount = picture.RunCount,
            };

        RegionBox BoxOf(int region)
        {
            var (row, column) = (region / columns, region % columns);
            return new RegionBox(
                EdgeOf(column, columns, grid.Columns),
                EdgeOf(row, rows, grid.Rows),
                EdgeOf(column + 1, columns, grid.Columns),
                EdgeOf(row + 1, rows, grid.Rows)
            );
        }

        Task<double> HiddenAsync(int set) => ShownAsync(everything & ~set);

        async Task<double> ShownAsync(int set)
        {
            if (!known.TryGetValue(set, out var value))
            {
                var grey = Enumerable.Range(0, count).Where(region => (set & (1 << region)) == 0);
                value = await picture
                    .ProbabilityAsync(grey.SelectMany(region => cells[region]), cancellationToken)
                    .ConfigureAwait(false);
                known.Add(set, value);
            }

            return value;
        }

        async Task<int[]> SmallestAsync(Func<int, Task<double>> measure, Func<double, bool> does, bool grows, int most)
        {
            var found = await SeededAsync(measure, does).ConfigureAwait(false);
            var set = 0;
            for (var size = 1; size < RegionsOf(found).Length && picture.RunCount < most; size++)
            {
                (int Set, double Value)? best = null;
                foreach (var region in order.Where(region => (set & (1 << region)) == 0))
                {
                    var next = set | (1 << region);
                    if (picture.RunCount >= most && !known.ContainsKey(grows ? next : everything & ~next))
                    {
                        break;
                    }

                    var value = await measure(next).ConfigureAwait(false);
                    if (best is null || (grows ? value > best.Value.Value : value < best.Value.Value))
                    {
                        best = (next, value);
                    }
                }

                if (best is not { } step)
                {
                    break;
                }

                set = step.Set;
                if (does(step.Value))
                {
                    return RegionsOf(set);
                }
            }

            return RegionsOf(found);
        }

        // The whole picture does, so there is a set.
        async Task<int> SeededAsync(Func<int, Task<double>> measure, Func<double, bool> does)
        {
            var set = 0;
            var taken = 0;
            do
            {
                set |= 1 << order[taken++];
            } while (taken < count && !does(await measure(set).ConfigureAwait(false)));

            for (var i = taken - 2; i >= 0; i--)
            {
                var without = set & ~(1 << order[i]);
                if (does(await measure(without).ConfigureAwait(false)))
                {
                    set = without;
                }
            }

            return set;
        }

        int[] RegionsOf(int set) => [.. Enumerable.Range(0, count).Where(region => (set & (1 << region)) != 0)];

        static int SetOf(IEnumerable<int> regions) => regions.Aggregate(0, (set, region) => set | (1 << region));
    }

    /// <summary>Where a region begins, on the edge of a cell: the first one that is the region's.</summary>
    private static double EdgeOf(int region, int regions, int cells) =>
        (double)(((region * cells) + regions - 1) / regions) / cells;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
