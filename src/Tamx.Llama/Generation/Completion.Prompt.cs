using System.Text;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Imaging;

namespace Tamx.Llama;

/// <content>Writing the prompt, and reading the pixels of its pictures and videos.</content>
public sealed partial class Completion
{
    private void WritePrompt(IReadOnlyList<ChatMessage> messages)
    {
        foreach (var piece in _model.Template.Pieces(messages))
        {
            switch (piece.Vision)
            {
                case null:
                    _prompt.AddText(_model.Model.Tokenize(Encoding.UTF8.GetBytes(piece.Text), parseSpecial: piece.IsMarker));
                    break;
                case ImagePart image:
                    AddImage(image);
                    break;
                case VideoPart video:
                    AddPatches(video, piece.FirstPatch, piece.PatchCount);
                    break;
            }
        }
    }

    private void AddImage(ImagePart part)
    {
        var projector = RequireProjector(part.Name);
        var image = RgbImage.Decode(part.Encoded, part.Name);
        var (least, most) = _model.Options.ImageTokenBounds;
        var (width, height) = QwenImageSize.Fit(image.Width, image.Height, projector.CellSize, part.Bounds, least, most);
        var cells = width / projector.CellSize * (height / projector.CellSize);
        if (part.Bounds is not null && (cells < least || cells > most))
        {
            // libmtmd would look at it at another size without a word.
            throw new InvalidInputException(
                $"{part.Name}: its min_pixels, max_pixels or resized_width make {cells} cells; the model is loaded for {least} to {most} (--image-min-tokens, --image-max-tokens)");
        }

        _prompt.AddBlock(width, height, _model.Vision!.Measure(width, height), [0]);
        _vision.Add(new PromptVision(image.Resize(width, height), null, width, height, 1));
        _pictures.Add(new PromptPicture
        {
            Name = part.Name,
            Encoded = part.Encoded,
            MediaType = image.MediaType,
            Width = image.Width,
            Height = image.Height,
            BlockIndex = NextBlock(),
            FrameIndex = 0,
            FirstPosition = 0,
            Columns = 0,
            Rows = 0,
        });
    }

    /// <summary>Adds a vision block of some temporal patches; the first call for a video adds the video itself.</summary>
    private void AddPatches(VideoPart video, int firstPatch, int patchCount)
    {
        var projector = RequireProjector(video.Name);
        if (firstPatch == 0)
        {
            var (fitWidth, fitHeight) = QwenImageSize.FitFrames(
                video.Width, video.Height, projector.CellSize, video.PatchCount, _options.ContextSize > 0 ? _options.ContextSize : LargestContext,
                _model.Options.MinImageTokens, _model.Options.MaxImageTokens, video.Bounds);
            _vision.Add(new PromptVision(null, video, fitWidth, fitHeight, video.PatchCount));
        }

        var (_, _, width, height, _) = _vision[^1];
        _prompt.AddBlock(width, height, _model.Vision!.Measure(width, height), TimeAxis(projector, video, patchCount));
        var block = NextBlock();
        for (var i = 0; i < patchCount; i++)
        {
            _pictures.Add(new PromptPicture
            {
                Name = video.Name,
                MediaType = "image/jpeg",
                Width = video.Width,
                Height = video.Height,
                BlockIndex = block,
                FrameIndex = i,
                VideoIndex = _vision.Count(part => part.Video is not null) - 1,
                Seconds = video.PatchSeconds(firstPatch + i),
                FirstPosition = 0,
                Columns = 0,
                Rows = 0,
            });
        }
    }

    /// <summary>Where the temporal patches of a block lie on the time axis of M-RoPE, from the block's start.</summary>
    /// <remarks>
    /// Source: <c>get_rope_index</c> of Qwen2-VL (one step per patch) and Qwen2.5-VL (two steps per second, cut to whole numbers in float32, as the published models'
    /// <c>tokens_per_second</c> says; GGUF files do not hold it). Where frames come faster than four a second, two patches would have the same time; llama.cpp would then hide
    /// part of the first from the second, so each is put at least one step after the one before.
    /// </remarks>
    private static int[] TimeAxis(ProjectorFacts projector, VideoPart video, int patchCount)
    {
        const float StepsPerSecond = 2;
        var stepsPerPatch = projector.ProjectorType == Preflight.Qwen25VlMerger ? (float)(2 / video.FramesPerSecond) * StepsPerSecond : 1;
        var times = new int[patchCount];
        for (var i = 1; i < patchCount; i++)
        {
            times[i] = (int)Math.Clamp((long)(i * stepsPerPatch), times[i - 1] + 1L, (int.MaxValue / 4) + (long)i);
        }

        return times;
    }

    private int LargestContext => _options.MaxContextSize > 0 ? Math.Min(_options.MaxContextSize, _model.Facts.ContextLength) : _model.Facts.ContextLength;

    private int NextBlock() => _pictures.Count == 0 ? 0 : _pictures[^1].BlockIndex + 1;

    private ProjectorFacts RequireProjector(string name) => _model.Projector ?? throw new InvalidInputException(
        $"{name}: {_model.Facts.Path} was loaded without a vision projector; give the mmproj that belongs to it (--mmproj)");

    /// <summary>The prompt's token ids, cells included; notes where each picture's cells are.</summary>
    private int[] ReadPrompt()
    {
        var ids = new List<int>();
        var next = 0;
        for (var i = 0; i < _prompt.Count; i++)
        {
            switch (_prompt[i])
            {
                case TextChunk text:
                    ids.AddRange(text.Tokens);
                    break;
                case PatchChunk patch:
                    var picture = _pictures[next];
                    _pictures[next++] = picture with { FirstPosition = ids.Count, Columns = patch.Columns, Rows = patch.Rows };
                    var pad = _model.Vocabulary.FindId(picture.VideoIndex is null ? "<|image_pad|>" : "<|video_pad|>");
                    ids.AddRange(Enumerable.Repeat(pad, patch.TokenCount));
                    break;
            }
        }

        return [.. ids];
    }

    private int ChooseContextSize()
    {
        var largest = LargestContext;

        // The last token needs no room: nothing is computed after it. A given answer must fit as a whole.
        var atLeast = PromptTokenCount + (_givenAnswer.Length > 0 ? _givenAnswer.Length - 1 : 1);
        if (_options.ContextSize > 0)
        {
            return atLeast <= _options.ContextSize
                ? _options.ContextSize
                : throw new InvalidInputException(
                    $"the prompt has {PromptTokenCount} tokens{AndAnswer()}, the context {_options.ContextSize}; " +
                    $"use a context of at least {(long)PromptTokenCount + Math.Max(1, MaxAnswerTokens)} (-c) or {Fewer()}");
        }

        if (atLeast > largest)
        {
            var bound = largest < _model.Facts.ContextLength ? $"{largest} are allowed here" : $"{_model.Facts.Path} was trained for {largest}";
            throw new InvalidInputException($"the prompt has {PromptTokenCount} tokens{AndAnswer()}, {bound}; use {Fewer()}");
        }

        const int Granularity = 256;
        var needed = ((long)PromptTokenCount + MaxAnswerTokens + Granularity - 1) / Granularity * Granularity;
        return (int)Math.Min(needed, largest);

        string AndAnswer() => _givenAnswer.Length > 0 ? $" and the answer {_givenAnswer.Length}" : "";

        string Fewer() => _pictures.Exists(picture => picture.VideoIndex is not null)
            ? $"fewer frames (--max-frames, --fps; there are {_pictures.Count(picture => picture.VideoIndex is not null)} patches of two) or smaller ones (--image-max-tokens)"
            : _pictures.Count > 0 ? "fewer or smaller pictures (--image-max-tokens)" : "a shorter text";
    }

    /// <summary>The pixels of each temporal patch in order: one frame of a picture, or two of a video. Notes what is shown of a video's patch.</summary>
    private IEnumerable<(RgbImage First, RgbImage? Second)> ReadPatches(CancellationToken cancellationToken)
    {
        var index = 0;
        foreach (var (image, video, width, height, patchCount) in _vision)
        {
            if (image is not null)
            {
                index++;
                yield return (image, null);
                continue;
            }

            using var frames = video!.Source.Read(cancellationToken).GetEnumerator();
            for (var end = index + patchCount; index < end; index++)
            {
                var first = frames.MoveNext() ? frames.Current : throw new InvalidInputException($"{video.Name}: ends before its last frame");
                var resized = first.Image.Resize(width, height);
                _pictures[index] = first.Picture is { } part
                    ? _pictures[index] with { Name = part.Name, Encoded = part.Encoded, MediaType = first.Image.MediaType }
                    : _pictures[index] with { Encoded = resized.EncodeJpeg(), Width = width, Height = height };

                // The last of an odd number stands for two: a still picture does.
                yield return (resized, frames.MoveNext() ? frames.Current.Image.Resize(width, height) : null);
            }
        }
    }

    /// <summary>A picture's pixels at the size that the model looks at, or a video and that size.</summary>
    private sealed record PromptVision(RgbImage? Image, VideoPart? Video, int Width, int Height, int PatchCount);
}
