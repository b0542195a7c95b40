using Tamx.Llama.Media;

namespace Tamx.Llama;

/// <summary>A conversation as a model reads it: token ids, chunks to decode, and pictures.</summary>
/// <param name="tokenIds">Token ids; each cell of a picture carries the id of its pad token.</param>
/// <param name="chunks">The chunks, which make up the ids in order.</param>
/// <param name="pictures">The pictures, and the temporal patches of videos, in order.</param>
/// <param name="visions">Where the pixels of these come from.</param>
internal sealed class Prompt(
    int[] tokenIds,
    IReadOnlyList<PromptChunk> chunks,
    List<PromptPicture> pictures,
    IReadOnlyList<PromptVision> visions
)
{
    public int[] TokenIds => tokenIds;

    public IReadOnlyList<PromptChunk> Chunks => chunks;

    public IReadOnlyList<PromptPicture> Pictures => pictures;

    /// <summary>Reads the pixels of each temporal patch in order: one frame of a picture, or two of a video.</summary>
    /// <remarks>What is shown of a video is noted in <see cref="Pictures"/> as it is read.</remarks>
    public IEnumerable<(RgbImage First, RgbImage? Second)> ReadPatches(CancellationToken cancellationToken)
    {
        var videoIndex = 0;
        foreach (var (image, video, width, height) in visions)
        {
            if (image is not null)
            {
                yield return (image, null);
                continue;
            }

            var index = pictures.FindIndex(picture => picture.VideoIndex == videoIndex);
            videoIndex++;

            using var frames = video!.Source.Read(cancellationToken).GetEnumerator();
            for (var end = index + video.PatchCount; index < end; index++)
            {
                var first = frames.MoveNext()
                    ? frames.Current
                    : throw new InvalidInputException($"{video.Name}: ends before its last frame");
                var resized = first.Image.Resize(width, height);
                pictures[index] = first.Encoded is var (encoded, name)
                    ? pictures[index] with
                    {
                        Name = name,
                        Encoded = encoded,
                        MediaType = first.Image.MediaType,
                    }
                    : pictures[index] with
                    {
                        Encoded = resized.EncodeJpeg(),
                        Width = width,
                        Height = height,
                    };

                // The last of an odd number stands for two: a still picture does.
                var second = frames.MoveNext() ? frames.Current.Image.Resize(width, height) : null;
                yield return (resized, second);
            }
        }
    }
}

/// <summary>Where the pixels of a picture or video come from, and the size at which the model sees them.</summary>
/// <param name="Image">The picture, or a tile of it, at that size; null for a video.</param>
/// <param name="Video">The video; null for a picture.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
internal sealed record PromptVision(RgbImage? Image, Video? Video, int Width, int Height);
