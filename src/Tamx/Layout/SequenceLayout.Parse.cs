namespace Tamx;

/// <content>Reading a token sequence.</content>
public sealed partial record SequenceLayout
{
    private static readonly Setting MergeSizeSetting = new(nameof(TamOptions.MergeSize));

    /// <summary>Reads the layout of a token sequence in ChatML, as the models' templates write it.</summary>
    /// <param name="tokenIds">Prompt and answer [S].</param>
    /// <param name="markers">Marker ids of the vocabulary.</param>
    /// <param name="imageGrids">Patch grid of each image before the merge.</param>
    /// <param name="videoGrids">Patch grid of each video before the merge.</param>
    /// <param name="generatedCount">Length of the answer at the end of the sequence. Null takes the last turn.</param>
    /// <param name="options">Merge sizes, and which ids count as text; null for the defaults.</param>
    /// <returns>The layout.</returns>
    /// <remarks>
    /// Source: TAMX's <c>parse_seq_qwenvl</c> and <c>assign_grids</c>. Unlike these it never guesses. The merge sizes
    /// are known or follow from the numbers of tokens, and are the same for all grids. A video with one block per
    /// temporal patch gets its grid for all its blocks. Whatever does not fit is an error.
    /// </remarks>
    /// <exception cref="InvalidInputException">
    /// The sequence holds no answer, or its vision blocks and grids do not fit.
    /// </exception>
    public static SequenceLayout Parse(
        IReadOnlyList<int> tokenIds,
        MarkerIds markers,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        int? generatedCount = null,
        TamOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(tokenIds);
        ArgumentNullException.ThrowIfNull(markers);
        ArgumentNullException.ThrowIfNull(imageGrids);
        ArgumentNullException.ThrowIfNull(videoGrids);
        options ??= new TamOptions();
        options.Validate();
        return Parse(
            tokenIds,
            markers,
            imageGrids,
            videoGrids,
            tokenIds.Count - (generatedCount ?? 0),
            options,
            turns => FindAnswer(tokenIds.Count, turns, generatedCount)
        );
    }

    /// <summary>Reads the layout of a prompt, where the whole sequence stands before an answer.</summary>
    internal static SequenceLayout ParsePrompt(
        IReadOnlyList<int> tokenIds,
        MarkerIds markers,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        TamOptions options
    ) => Parse(tokenIds, markers, imageGrids, videoGrids, tokenIds.Count, options, _ => []);

    private static SequenceLayout Parse(
        IReadOnlyList<int> tokenIds,
        MarkerIds markers,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        int generatedStart,
        TamOptions options,
        Func<List<Turn>, IReadOnlyList<int>> findAnswer
    )
    {
        var blocks = FitGrids(FindBlocks(tokenIds, markers), imageGrids, videoGrids, generatedStart, options);
        var turns = FindTurns(tokenIds, markers, blocks, options.DropRoleWordsEverywhere);
        var answer = findAnswer(turns);
        return new SequenceLayout
        {
            Turns = turns,
            VisionBlocks = blocks,
            ContextPositions = FindContext(
                turns,
                blocks,
                answer is [var first, ..] ? first : tokenIds.Count,
                options.ContextAfterVisionOnly
            ),
            AnswerPositions = answer,
            ThoughtCount = CountThought(tokenIds, markers, answer),
        };
    }

    /// <summary>
    /// The runs from a vision start to the next vision end, or of cells where nothing stands around them. A run without
    /// an end is no block.
    /// </summary>
    private static List<VisionBlock> FindBlocks(IReadOnlyList<int> tokenIds, MarkerIds markers)
    {
        var blocks = new List<VisionBlock>();
        for (var i = 0; i < tokenIds.Count; i++)
        {
            if (tokenIds[i] != markers.VisionStart)
            {
                continue;
            }

            var hasMarkers = markers.VisionStart != markers.ImagePad;
            var start = hasMarkers ? i : i - 1;
            var isVideo = false;
            for (; i < tokenIds.Count && IsInside(tokenIds[i]); i++)
            {
                isVideo |= tokenIds[i] == markers.VideoPad;
            }

            bool IsInside(int id) => hasMarkers ? id != markers.VisionEnd : id == markers.ImagePad;

            if (i < tokenIds.Count)
            {
                blocks.Add(
                    new VisionBlock
                    {
                        StartPosition = start,
                        EndPosition = i,
                        IsVideo = isVideo,
                        TurnIndex = -1,
                        Grid = default,
                    }
                );
            }
        }

        return blocks;
    }

    /// <summary>The turns with text or pictures. Each block gets the index of its turn.</summary>
    private static List<Turn> FindTurns(
        IReadOnlyList<int> tokenIds,
        MarkerIds markers,
        List<VisionBlock> blocks,
        bool dropRoleWords
    )
    {
        HashSet<int> noText =
        [
            markers.TurnStart,
            markers.TurnEnd,
            markers.VisionStart,
            markers.VisionEnd,
            markers.ImagePad,
            .. markers.VideoPad is { } videoPad ? [videoPad] : Array.Empty<int>(),
            .. markers.Others ?? [],
        ];
        if (dropRoleWords)
        {
            noText.UnionWith(new[] { markers.System, markers.User, markers.Assistant }.OfType<int>());
        }

        var turns = new List<Turn>();
        var position = 0;
        var block = 0;
        while (position < tokenIds.Count - 1)
        {
            if (OpeningAt(tokenIds, position, markers) is not (var role, var content))
            {
                position++;
                continue;
            }

            var start = position;
            var end = content;
            while (
                end < tokenIds.Count
                && tokenIds[end] != markers.TurnEnd
                && (markers.Openings is null || OpeningAt(tokenIds, end, markers) is null)
            )
            {
                end++;
            }

            // Blocks stand in order, as turns do.
            var blockIndices = new List<int>();
            for (; block < blocks.Count && blocks[block].FirstCellPosition <= end; block++)
            {
                if (start <= blocks[block].StartPosition && blocks[block].EndPosition <= end)
                {
                    blocks[block] = blocks[block] with { TurnIndex = turns.Count };
                    blockIndices.Add(block);
                }
            }

            var text = new List<int>();
            var nextBlock = 0;
            for (var p = content; p < end; p++)
            {
                if (nextBlock < blockIndices.Count && p >= blocks[blockIndices[nextBlock]].FirstCellPosition)
                {
                    p = blocks[blockIndices[nextBlock++]].EndPosition - 1;
                }
                else if (!noText.Contains(tokenIds[p]))
                {
                    text.Add(p);
                }
            }

            if (text.Count > 0 || blockIndices.Count > 0)
            {
                turns.Add(new Turn(role, text, blockIndices));
            }

            // The marker that ends a turn may begin the next.
            position = end;
        }

        return turns;
    }

    /// <summary>Whose turn begins at a position, and where its text begins; null if none does.</summary>
    private static (string Role, int Content)? OpeningAt(IReadOnlyList<int> tokenIds, int position, MarkerIds markers)
    {
        if (markers.Openings is { } openings)
        {
            var found = openings.FirstOrDefault(opening =>
                position + opening.TokenIds.Count <= tokenIds.Count
                && opening.TokenIds.Index().All(token => tokenIds[position + token.Index] == token.Item)
            );
            return found is null ? null : (found.Role, position + found.TokenIds.Count);
        }

        if (tokenIds[position] != markers.TurnStart)
        {
            return null;
        }

        var content = position + 2;
        var isLineFeed = content < tokenIds.Count && tokenIds[content] == markers.Newline;
        return (RoleName(tokenIds[position + 1], markers), isLineFeed ? content + 1 : content);
    }

    private static string RoleName(int id, MarkerIds markers) =>
        id == markers.System ? "system"
        : id == markers.User ? "user"
        : id == markers.Assistant ? "assistant"
        : "other";

    private static IReadOnlyList<int> FindAnswer(int tokenCount, List<Turn> turns, int? generatedCount)
    {
        if (generatedCount is { } count)
        {
            if (count < 1 || count >= tokenCount)
            {
                throw new InvalidInputException(
                    $"{count} generated tokens in a sequence of {tokenCount}: there must be at least 1, and a prompt before it"
                );
            }

            return [.. Enumerable.Range(tokenCount - count, count)];
        }

        if (turns.Count == 0)
        {
            throw new InvalidInputException(
                "the sequence holds no turn with text; an answer in a turn of the assistant is needed"
            );
        }

        var last = turns[^1];
        if (last.Role != "assistant")
        {
            throw new InvalidInputException(
                $"the last turn is of role {last.Role}; the answer must stand in a turn of the assistant at the end, or the number of generated tokens must be given"
            );
        }

        if (last.TextPositions.Count == 0)
        {
            throw new InvalidInputException("the last turn of the assistant holds no text to explain");
        }

        return last.TextPositions;
    }

    private static int CountThought(IReadOnlyList<int> tokenIds, MarkerIds markers, IReadOnlyList<int> answer)
    {
        if (answer is not [var first, ..])
        {
            return 0;
        }

        var thoughts = new ThoughtReader(markers, [.. tokenIds.Take(first)]);
        return answer.TakeWhile(position => thoughts.Next(tokenIds[position])).Count();
    }

    private static IReadOnlyList<int> FindContext(
        List<Turn> turns,
        List<VisionBlock> blocks,
        int answerStart,
        bool afterVisionOnly
    )
    {
        var visionEnd = afterVisionOnly
            ? blocks
                .Where(block => block.EndPosition < answerStart)
                .Select(block => block.EndPosition - 1)
                .LastOrDefault(-1)
            : -1;
        return
        [
            .. turns
                .SelectMany(turn => turn.TextPositions)
                .Where(position => visionEnd < position && position < answerStart),
        ];
    }

    /// <summary>Gives each block its grid, with the merge size asked for or the one that fits.</summary>
    private static List<VisionBlock> FitGrids(
        List<VisionBlock> blocks,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        int generatedStart,
        TamOptions options
    )
    {
        if (options.MergeSize > 0)
        {
            return Fit(options.MergeSize);
        }

        const int UsualSize = 2;
        try
        {
            return Fit(UsualSize);
        }
        catch (InvalidInputException)
        {
            List<(int Size, List<VisionBlock> Blocks)> found = [];
            foreach (var size in MergeSizesOf(blocks, imageGrids, videoGrids, options.TemporalMergeSize))
            {
                try
                {
                    found.Add((size, Fit(size)));
                }
                catch (InvalidInputException)
                {
                    // The size fits the first block alone. The error below is about size 2, or about several that fit.
                }
            }

            if (found.Count > 1)
            {
                var sizes = string.Join(" and ", found.Select(fit => fit.Size));
                throw InvalidInputException.Naming(
                    $"the grids fit the tokens with the merge sizes {sizes} alike; name one ({MergeSizeSetting})"
                );
            }

            if (found.Count == 1)
            {
                return found[0].Blocks;
            }

            throw;
        }

        List<VisionBlock> Fit(int size)
        {
            List<VisionBlock> fitted = [.. blocks];
            AssignGrids(fitted, imageGrids, videoGrids, generatedStart, options with { MergeSize = size });
            return fitted;
        }
    }

    /// <summary>Merge sizes that fit the first block's grid to its number of tokens: one, or two for a video.</summary>
    private static IEnumerable<int> MergeSizesOf(
        List<VisionBlock> blocks,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        int temporalMergeSize
    )
    {
        if (
            blocks is not [var first, ..]
            || first.CellCount == 0
            || (first.IsVideo ? videoGrids : imageGrids) is not [var grid, ..]
        )
        {
            return [];
        }

        // A video's block holds either all frames or one.
        var frame = (long)grid.Rows * grid.Columns;
        Int128[] patches = first.IsVideo
            ? [frame * (Int128)(grid.Frames / temporalMergeSize), frame]
            : [frame * (Int128)grid.Frames];
        return patches
            .Where(count => count > 0 && count % first.CellCount == 0)
            .Select(count => (int)Math.Round(Math.Sqrt((double)(count / first.CellCount))))
            .Distinct();
    }

    /// <summary>
    /// Gives each block its grid. A generated answer may contain markers that the model wrote. So its blocks without a
    /// grid count as none.
    /// </summary>
    private static void AssignGrids(
        List<VisionBlock> blocks,
        IReadOnlyList<PatchGrid> imageGrids,
        IReadOnlyList<PatchGrid> videoGrids,
        int generatedStart,
        TamOptions options
    )
    {
        var imageCount = 0;
        var videoCount = 0;
        for (var b = 0; b < blocks.Count; )
        {
            if (
                blocks[b].StartPosition >= generatedStart
                && (imageCount, videoCount) == (imageGrids.Count, videoGrids.Count)
            )
            {
                blocks.RemoveRange(b, blocks.Count - b);
            }
            else if (blocks[b].IsVideo)
            {
                var name = $"row {videoCount} of the video grids";
                var grid = Merge(Next(videoGrids, videoCount++, blocks[b], "video"), name, options);
                b += AssignVideo(blocks, b, grid, name);
            }
            else
            {
                var name = $"row {imageCount} of the image grids";
                var grid = Merge(Next(imageGrids, imageCount++, blocks[b], "image"), name, options);
                if (grid.CellCount < blocks[b].CellCount && imageCount < imageGrids.Count)
                {
                    SplitTiles(blocks, b, grid.CellCount);
                }

                if (grid.CellCount != blocks[b].CellCount)
                {
                    throw Mismatch(blocks[b], grid, name);
                }

                blocks[b] = blocks[b] with { Grid = grid };
                b++;
            }
        }

        RequireAllUsed(imageGrids.Count, imageCount, "image");
        RequireAllUsed(videoGrids.Count, videoCount, "video");
    }

    /// <summary>
    /// Makes two blocks of one: a picture's tiles, and the whole picture after them, between one pair of markers.
    /// </summary>
    private static void SplitTiles(List<VisionBlock> blocks, int index, int cellCount)
    {
        var block = blocks[index];
        var firstOfNext = block.FirstCellPosition + cellCount;
        blocks[index] = block with { EndPosition = firstOfNext };
        blocks.Insert(index + 1, block with { StartPosition = firstOfNext - 1 });
    }

    /// <summary>Gives a video's grid to its one block of all frames, or to its blocks of one frame each.</summary>
    /// <returns>The number of blocks.</returns>
    private static int AssignVideo(List<VisionBlock> blocks, int first, PatchGrid grid, string name)
    {
        if (blocks[first].CellCount == grid.CellCount)
        {
            blocks[first] = blocks[first] with { Grid = grid };
            return 1;
        }

        var frame = grid with { Frames = 1 };
        for (var b = first; b < first + grid.Frames; b++)
        {
            if (b == blocks.Count || !blocks[b].IsVideo)
            {
                throw new InvalidInputException(
                    $"{name} ({grid} cells) covers {grid.Frames} consecutive video blocks of {frame.CellCount} tokens, but only {b - first} follow each other from position {blocks[first].StartPosition}"
                );
            }

            if (blocks[b].CellCount != frame.CellCount)
            {
                throw Mismatch(blocks[b], grid, name);
            }

            blocks[b] = blocks[b] with { Grid = frame };
        }

        return grid.Frames;
    }

    private static PatchGrid Next(IReadOnlyList<PatchGrid> grids, int index, VisionBlock block, string kind) =>
        index < grids.Count
            ? grids[index]
            : throw new InvalidInputException(
                $"the {kind} block at positions {block.StartPosition} to {block.EndPosition} has no grid: there are {grids.Count} rows of {kind} grids, and row {index} is needed"
            );

    private static PatchGrid Merge(PatchGrid raw, string name, TamOptions options)
    {
        if (
            raw.Frames < 1
            || raw.Rows < 1
            || raw.Columns < 1
            || (long)raw.Rows * raw.Columns > int.MaxValue / raw.Frames
        )
        {
            throw new InvalidInputException(
                $"{name} is {raw}: every axis must be at least 1 and the whole within {int.MaxValue} patches"
            );
        }

        if (
            raw.Frames % options.TemporalMergeSize != 0
            || raw.Rows % options.MergeSize != 0
            || raw.Columns % options.MergeSize != 0
        )
        {
            throw new InvalidInputException(
                $"{name} is {raw}: its axes must be multiples of the merge sizes {options.TemporalMergeSize} (frames) and {options.MergeSize} (rows, columns)"
            );
        }

        return new PatchGrid(
            raw.Frames / options.TemporalMergeSize,
            raw.Rows / options.MergeSize,
            raw.Columns / options.MergeSize
        );
    }

    private static InvalidInputException Mismatch(VisionBlock block, PatchGrid grid, string name) =>
        InvalidInputException.Naming(
            $"{name} gives {grid} cells, but the block at positions {block.StartPosition} to {block.EndPosition} holds {block.CellCount} tokens; is the merge size right ({MergeSizeSetting})?"
        );

    private static void RequireAllUsed(int gridCount, int usedCount, string kind)
    {
        if (gridCount != usedCount)
        {
            throw new InvalidInputException(
                $"there are {gridCount} rows of {kind} grids, but the sequence uses {usedCount}"
            );
        }
    }
}
