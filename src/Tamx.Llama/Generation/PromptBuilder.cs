using Tamx.Llama.Chat;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;
using Tamx.Llama.Media;

namespace Tamx.Llama;

/// <summary>Writes a conversation as a model's prompt: text as tokens, pictures and videos as cells.</summary>
internal sealed class PromptBuilder
{
    private readonly VisionLanguageModel _model;
    private readonly int _contextSize;
    private readonly PromptMarkers _markers;
    private readonly List<int> _tokenIds = [];
    private readonly List<PromptChunk> _chunks = [];
    private readonly List<PromptPicture> _pictures = [];
    private readonly List<PromptVision> _visions = [];

    private PromptBuilder(VisionLanguageModel model, int contextSize)
    {
        _model = model;
        _contextSize = contextSize;
        _markers = model.Vocabulary.Markers;
    }

    /// <summary>Writes a conversation.</summary>
    /// <param name="model">The model that is to read it.</param>
    /// <param name="pieces">The conversation as the model's template writes it.</param>
    /// <param name="contextSize">Most tokens of the context, which bound the size of a video's frames.</param>
    /// <exception cref="InvalidInputException">A picture cannot be used, or the model has no projector.</exception>
    public static Prompt Build(VisionLanguageModel model, IEnumerable<PromptPiece> pieces, int contextSize)
    {
        var builder = new PromptBuilder(model, contextSize);
        foreach (var piece in pieces)
        {
            builder.Add(piece);
        }

        return new Prompt([.. builder._tokenIds], builder._chunks, builder._pictures, builder._visions);
    }

    private void Add(PromptPiece piece)
    {
        switch (piece.Vision)
        {
            case null:
                AddText(_model.Vocabulary.Tokenize(piece.Text, piece.Specials));
                break;
            case ImagePart part:
                AddImage(part);
                break;
            case VideoPart part:
                AddPatches(part, piece.FirstPatch, piece.PatchCount);
                break;
        }
    }

    private void AddText(ReadOnlySpan<int> tokens)
    {
        _tokenIds.AddRange(tokens);
        if (_chunks is [.., TextChunk last])
        {
            _chunks[^1] = new TextChunk(last.TokenCount + tokens.Length);
        }
        else if (!tokens.IsEmpty)
        {
            _chunks.Add(new TextChunk(tokens.Length));
        }
    }

    private void AddImage(ImagePart part)
    {
        var projector = RequireProjector(part.Name);
        var image = RgbImage.Decode(part.Encoded, part.Name);
        if (projector.IsSquare)
        {
            AddTiles(part, image, projector);
            return;
        }

        var (width, height) = SizeOf(projector, part, image);
        _visions.Add(new PromptVision(image.Resize(width, height), null, width, height));
        var (block, position, grid) = AddBlock(width, height, _markers.ImagePad, [0]);
        _pictures.Add(PictureOf(part, image, block, position, grid.Columns, grid.Rows));
    }

    /// <summary>Adds a picture as tiles and the whole, or as one tile.</summary>
    /// <remarks>Tiles and whole stand between one pair of markers, and are two vision blocks all the same.</remarks>
    private void AddTiles(ImagePart part, RgbImage image, ProjectorFacts projector)
    {
        var side = projector.ImageSize;
        var (columns, rows) = TilesOf(projector, part, image);
        RgbImage[] tiles = [.. PictureTiles.Cut(image, side, columns, rows)];
        _visions.AddRange(tiles.Select(tile => new PromptVision(tile, null, side, side)));
        var (block, position, grid) = AddBlock(side, side, _markers.ImagePad, new int[tiles.Length]);
        if (tiles.Length == 1)
        {
            _pictures.Add(PictureOf(part, image, block, position, grid.Columns, grid.Rows));
            return;
        }

        _pictures.Add(
            PictureOf(part, image, block, position, columns * grid.Columns, rows * grid.Rows) with
            {
                TileColumns = columns,
                TileRows = rows,
            }
        );
        var whole = position + (columns * rows * grid.Columns * grid.Rows);
        _pictures.Add(
            PictureOf(part, image, block + 1, whole, grid.Columns, grid.Rows) with
            {
                Name = $"{part.Name} as one tile",
            }
        );
    }

    private PromptPicture PictureOf(ImagePart part, RgbImage image, int block, int position, int columns, int rows) =>
        new()
        {
            Name = part.Name,
            Encoded = part.Encoded,
            MediaType = image.MediaType,
            Width = image.Width,
            Height = image.Height,
            BlockIndex = block,
            FrameIndex = 0,
            FirstPosition = position,
            Columns = columns,
            Rows = rows,
            CellOffset = ProjectorKind.Of(_model.Projector!.ProjectorType).CellOffset,
            HasRowEnds = _model.Vision!.HasRowEnds,
        };

    private (int Width, int Height) SizeOf(ProjectorFacts projector, ImagePart part, RgbImage image)
    {
        var (least, most) = _model.Options.ImageTokenBounds(projector);
        var (width, height) = QwenImageSize.Fit(
            image.Width,
            image.Height,
            projector.CellSize,
            part.Bounds,
            least,
            most
        );
        var cells = width / projector.CellSize * (height / projector.CellSize);
        if (part.Bounds is not null && (cells < least || cells > most))
        {
            // libmtmd would look at it at another size without a word.
            var found = $"its min_pixels, max_pixels or resized_width make {cells} cells";
            FormattableString loaded = $"{least} to {most} ({Settings.MinImageTokens}, {Settings.MaxImageTokens})";
            throw InvalidInputException.Naming($"{part.Name}: {found}; the model is loaded for {loaded}");
        }

        return (width, height);
    }

    /// <summary>Columns and rows of tiles, by the picture's shape and within the bounds of message and model.</summary>
    /// <exception cref="InvalidInputException">No number of tiles lies within them.</exception>
    private (int Columns, int Rows) TilesOf(ProjectorFacts projector, ImagePart part, RgbImage image)
    {
        var side = projector.ImageSize;
        var tileCells = side / projector.CellSize * (side / projector.CellSize);
        var options = _model.Options;
        var fitting = Enumerable
            .Range(projector.MinTiles, projector.MaxTiles - projector.MinTiles + 1)
            .Where(count => IsWithin(CellsOf(count), options.MinImageTokens, options.MaxImageTokens))
            .Where(count => IsWithin((double)count * side * side, part.Bounds?.MinPixels, part.Bounds?.MaxPixels))
            .ToArray();
        var (width, height) = (part.Bounds?.Width ?? image.Width, part.Bounds?.Height ?? image.Height);
        if (fitting.Length > 0)
        {
            return PictureTiles.Choose(width, height, side, fitting[0], fitting[^1]);
        }

        var (least, most) = (CellsOf(projector.MinTiles), CellsOf(projector.MaxTiles));
        var tiles = $"this model looks at a picture as tiles of {side} x {side} pixels and {tileCells} cells";
        var numbers = least == most ? $"{least}" : $"{least} to {most}";
        throw InvalidInputException.Naming(
            $"{part.Name}: no number of tiles fits ({Settings.MinImageTokens}, {Settings.MaxImageTokens}, or the message's min_pixels and max_pixels); {tiles}, in all {numbers} cells"
        );

        int CellsOf(int count) => tileCells * (count == 1 ? 1 : count + 1);

        static bool IsWithin(double value, double? least, double? most) =>
            value >= (least ?? 0) && (most is null or 0 || value <= most);
    }

    /// <summary>Adds a vision block of some temporal patches. A video's first call adds the video itself.</summary>
    private void AddPatches(VideoPart part, int firstPatch, int patchCount)
    {
        var projector = RequireProjector(part.Name);
        var video = part.Video;
        if (_markers.VideoPad is not { } pad)
        {
            throw new InvalidInputException(
                $"{part.Name}: Tamx shows no videos to {_model.Facts.Family}; give some of its frames as pictures"
            );
        }

        if (firstPatch == 0)
        {
            var (fitWidth, fitHeight) = QwenImageSize.FitFrames(
                video.Width,
                video.Height,
                projector.CellSize,
                video.PatchCount,
                _contextSize,
                _model.Options.MinImageTokens,
                MostFrameCells(projector),
                part.Bounds
            );
            _visions.Add(new PromptVision(null, video, fitWidth, fitHeight));
        }

        var (width, height) = (_visions[^1].Width, _visions[^1].Height);
        var (block, position, grid) = AddBlock(width, height, pad, TimeAxis(projector, video, patchCount));
        for (var i = 0; i < patchCount; i++)
        {
            _pictures.Add(
                new PromptPicture
                {
                    Name = video.Name,
                    MediaType = "image/jpeg",
                    Width = video.Width,
                    Height = video.Height,
                    BlockIndex = block,
                    FrameIndex = i,
                    VideoIndex = _visions.Count(vision => vision.Video is not null) - 1,
                    Seconds = video.PatchSeconds(firstPatch + i),
                    FirstPosition = position + (i * grid.Columns * grid.Rows),
                    Columns = grid.Columns,
                    Rows = grid.Rows,
                }
            );
        }
    }

    /// <summary>Adds a vision block with the markers around it.</summary>
    /// <param name="width">Width of its frames in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="pad">The token that its cells carry.</param>
    /// <param name="times">The temporal patches' places on M-RoPE's time axis: strictly ascending from 0.</param>
    /// <returns>Which block it is, the position of its first cell, and the cells of each patch.</returns>
    private (int Block, int Position, VisionGrid Grid) AddBlock(int width, int height, string pad, int[] times)
    {
        var block = _pictures.Count == 0 ? 0 : _pictures[^1].BlockIndex + 1;
        var vision = _model.Vision!;
        var grid = vision.Measure(width, height);
        var (before, after) = _markers.AroundCells is { } around
            ? (MarkersOf(around.Before), MarkersOf(around.After))
            : (grid.Before, grid.After);
        AddText(before);
        var position = _tokenIds.Count;
        foreach (var time in times)
        {
            _chunks.Add(
                new PatchChunk(
                    width,
                    height,
                    grid.Columns,
                    grid.Rows,
                    time,
                    EndsBlock: time == times[^1],
                    vision.UsesMrope,
                    vision.IsCausal,
                    vision.HasRowEnds
                )
            );
        }

        var padId = _model.Vocabulary.FindId(pad);
        int[] rowEnd = vision.HasRowEnds ? [_model.Vocabulary.FindId(_markers.RowEnd!)] : [];
        for (var row = 0; row < times.Length * grid.Rows; row++)
        {
            _tokenIds.AddRange(row == 0 ? [] : rowEnd);
            _tokenIds.AddRange(Enumerable.Repeat(padId, grid.Columns));
        }

        AddText(after);
        return (block, position, grid);

        int[] MarkersOf(string text) => _model.Vocabulary.Tokenize(text, parseMarkers: true);
    }

    /// <summary>The places of a block's temporal patches on M-RoPE's time axis, from the block's start.</summary>
    /// <remarks>
    /// Source: <c>get_rope_index</c> of Qwen2-VL (one step per patch) and Qwen2.5-VL (two steps per second, cut to
    /// whole numbers in float32; GGUF files do not hold their number). Where frames come faster than four a second, two
    /// patches would have the same time, and llama.cpp would hide part of the first from the second. So each is put at
    /// least one step after the one before.
    /// </remarks>
    private static int[] TimeAxis(ProjectorFacts projector, Video video, int patchCount)
    {
        var stepsPerPatch = ProjectorKind.Of(projector.ProjectorType).StepsPerSecond is { } steps
            ? (float)(2 / video.FramesPerSecond) * steps
            : 1;
        var times = new int[patchCount];
        for (var i = 1; i < patchCount; i++)
        {
            times[i] = (int)Math.Clamp((long)(i * stepsPerPatch), times[i - 1] + 1L, (int.MaxValue / 4) + (long)i);
        }

        return times;
    }

    /// <summary>Most cells of a frame; 0 for the family's, which a file's bound of a picture only lowers.</summary>
    private int MostFrameCells(ProjectorFacts projector) =>
        _model.Options.MaxImageTokens > 0 || projector.MaxPixels is null
            ? _model.Options.MaxImageTokens
            : Math.Min(_model.Options.ImageTokenBounds(projector).Most, QwenImageSize.MaxFrameCells);

    private ProjectorFacts RequireProjector(string name)
    {
        FormattableString wayOut = $"give the mmproj that belongs to it ({Settings.ProjectorPath})";
        return _model.Projector
            ?? throw InvalidInputException.Naming(
                $"{name}: {_model.Facts.Path} was loaded without a vision projector; {wayOut}"
            );
    }
}
