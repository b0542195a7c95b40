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
        _markers = ModelFamily.Of(model.Facts.Architecture).Markers;
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

        _visions.Add(new PromptVision(image.Resize(width, height), null, width, height));
        var (block, position, grid) = AddBlock(width, height, _markers.ImagePad, [0]);
        _pictures.Add(
            new PromptPicture
            {
                Name = part.Name,
                Encoded = part.Encoded,
                MediaType = image.MediaType,
                Width = image.Width,
                Height = image.Height,
                BlockIndex = block,
                FrameIndex = 0,
                FirstPosition = position,
                Columns = grid.Columns,
                Rows = grid.Rows,
            }
        );
    }

    /// <summary>Adds a vision block of some temporal patches. A video's first call adds the video itself.</summary>
    private void AddPatches(VideoPart part, int firstPatch, int patchCount)
    {
        var projector = RequireProjector(part.Name);
        var video = part.Video;
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
        var (block, position, grid) = AddBlock(
            width,
            height,
            _markers.VideoPad,
            TimeAxis(projector, video, patchCount)
        );
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
        var grid = _model.Vision!.Measure(width, height);
        AddText(grid.Before);
        var position = _tokenIds.Count;
        foreach (var time in times)
        {
            _chunks.Add(new PatchChunk(width, height, grid.Columns, grid.Rows, time, EndsBlock: time == times[^1]));
        }

        _tokenIds.AddRange(Enumerable.Repeat(_model.Vocabulary.FindId(pad), times.Length * grid.Columns * grid.Rows));
        AddText(grid.After);
        return (block, position, grid);
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
