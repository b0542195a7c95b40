using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Llama;

/// <summary>What is done with a region of a picture.</summary>
public enum RegionUse
{
    /// <summary>It is middle grey.</summary>
    Hide,

    /// <summary>All else of the picture is middle grey.</summary>
    Keep,

    /// <summary>The answer is steered to it, and the picture stays as it is.</summary>
    LookAt,
}

/// <summary>A region of a picture that is hidden, kept alone, or looked at.</summary>
/// <remarks>
/// <para>
/// <see cref="RegionUse.LookAt"/> adds alpha g s to the logits before a token is chosen. s is 1 for the token that the
/// region speaks for most, and falls to 0: max(0, z) / max z. z is what W v says, plus what W (v - u) says, each less
/// its mean over the vocabulary and in its standard deviations, with v the mean of the hidden states over the region's
/// cells and u that over all of the picture's. The gate g is 1 for the model's own best token and falls to 0
/// for one whose logit is 30 below it; it is 0 for tokens that the answer has already. docs/truth.md says what came of
/// it.
/// </para>
/// <para>Source of the idea: TAMX's gaze.</para>
/// </remarks>
public sealed record PictureRegion
{
    /// <summary>Largest <see cref="Alpha"/>.</summary>
    public const float MaxAlpha = 100;

    private const byte Grey = 128;

    /// <summary>What is done with it.</summary>
    public required RegionUse Use { get; init; }

    /// <summary>Where it lies, in parts of the picture's sides. A pixel belongs to it if its middle does.</summary>
    public required RegionBox Box { get; init; }

    /// <summary>Which of the conversation's pictures, from 0; frames of videos do not count.</summary>
    public int PictureIndex { get; init; }

    /// <summary>
    /// How strongly <see cref="RegionUse.LookAt"/> steers: what a logit gains at most, from 0 (not at all). 25 by
    /// default. The others do not use it.
    /// </summary>
    public float Alpha { get; init; } = 25;

    /// <summary>
    /// After which layer <see cref="RegionUse.LookAt"/> reads what the cells speak for, from 0, with the final norm
    /// applied; -1 (the default) for the last hidden states. A layer whose maps are true is better, where the last
    /// one's are not (docs/truth.md).
    /// </summary>
    public int Layer { get; init; } = -1;

    /// <summary>Whether logits change.</summary>
    internal bool Steers => Use == RegionUse.LookAt && Alpha > 0;

    /// <summary>Refuses values that mean no region of any picture.</summary>
    /// <exception cref="InvalidInputException">A value is out of its range; the message names the setting.</exception>
    public void Validate()
    {
        var (left, top, right, bottom) = Box;
        if (!(left >= 0 && left < right && right <= 1 && top >= 0 && top < bottom && bottom <= 1))
        {
            throw InvalidInputException.Naming(
                $"{Settings.Region}: the box {left}, {top}, {right}, {bottom} is no region of a picture; left, top, right and bottom must be from 0 to 1, and left and top less than right and bottom"
            );
        }

        if (!(Alpha >= 0 && Alpha <= MaxAlpha))
        {
            throw InvalidInputException.Naming($"{Settings.Region}: alpha is {Alpha}; it must be from 0 to {MaxAlpha}");
        }

        if (PictureIndex < 0)
        {
            throw InvalidInputException.Naming($"{Settings.Region}: picture {PictureIndex}; pictures count from 0");
        }
    }

    /// <summary>The conversation as the model sees it: with the picture changed, unless it is looked at.</summary>
    /// <param name="turns">The conversation.</param>
    /// <exception cref="InvalidInputException">There is no such picture or region.</exception>
    public IReadOnlyList<ChatTurn> Apply(IReadOnlyList<ChatTurn> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        Validate();
        ImagePart[] pictures = [.. turns.SelectMany(turn => turn.Parts).OfType<ImagePart>()];
        if (PictureIndex >= pictures.Length)
        {
            throw InvalidInputException.Naming(
                $"{Settings.Region}: there is no picture {PictureIndex}; the conversation has {pictures.Length}, counted from 0"
            );
        }

        return Use == RegionUse.LookAt ? turns : [.. turns.Select(turn => turn with { Parts = WithChange(turn) })];

        ChatPart[] WithChange(ChatTurn turn) =>
            [
                .. turn.Parts.Select(part =>
                    ReferenceEquals(part, pictures[PictureIndex]) ? Change((ImagePart)part) : part
                ),
            ];
    }

    private ImagePart Change(ImagePart picture)
    {
        // Far less than a pixel: an edge at a pixel's middle is one of a cell, and cells must not depend on rounding.
        const double Slack = 1e-6;
        var image = RgbImage.Decode(picture.Encoded, picture.Name);
        var pixels = image.Pixels.ToArray();
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var isInside =
                    IsWithin(x, Box.Left, Box.Right, image.Width) && IsWithin(y, Box.Top, Box.Bottom, image.Height);
                if (isInside == (Use == RegionUse.Hide))
                {
                    pixels.AsSpan(((y * image.Width) + x) * 3, 3).Fill(Grey);
                }
            }
        }

        var changed = RgbImage.FromPixels(image.Width, image.Height, pixels, picture.Name);
        return new ImagePart(changed.EncodePng(), picture.Name) { Bounds = picture.Bounds };

        static bool IsWithin(int pixel, double from, double to, int count) =>
            pixel + 0.5 >= (from * count) - Slack && pixel + 0.5 < (to * count) - Slack;
    }
}
