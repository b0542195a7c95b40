using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The options that hide a region of a picture, keep it alone, or steer the answer to it.</summary>
internal sealed class RegionArguments
{
    private readonly RegionOption _hide = new("--hide", "Make this region of the picture grey.");
    private readonly RegionOption _keep = new("--keep", "Make all of the picture but this region grey.");
    private readonly RegionOption _lookAt = new("--look-at", "Steer the answer to this region of the picture.");
    private readonly Option<float?> _alpha = new("--alpha")
    {
        Description = "How strongly --look-at steers: what a logit gains at most; 0 for not at all, 25 by default.",
        HelpName = "A",
    };

    public RegionArguments() => _alpha.RequireWithin(0, PictureRegion.MaxAlpha);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(DocumentedCommand command)
    {
        command.Options.Add(_hide);
        command.Options.Add(_keep);
        command.Options.Add(_lookAt);
        command.Options.Add(_alpha);
        command.AddCheck(result =>
        {
            RegionOption[] all = [_hide, _keep, _lookAt];
            if (all.Count(option => result.GetValue(option) is not null) > 1)
            {
                result.AddError("--hide, --keep and --look-at ask for one thing each; give one of them.");
            }

            if (result.GetValue(_alpha) is not null && result.GetValue(_lookAt) is null)
            {
                result.AddError("--alpha is about --look-at; give the region to look at.");
            }
        });
    }

    /// <summary>What the command line asks for; null for nothing.</summary>
    public PictureRegion? Read(ParseResult parsed)
    {
        var region = Of(_hide, RegionUse.Hide) ?? Of(_keep, RegionUse.Keep) ?? Of(_lookAt, RegionUse.LookAt);
        return region is not null && parsed.GetValue(_alpha) is { } alpha ? region with { Alpha = alpha } : region;

        PictureRegion? Of(RegionOption option, RegionUse use) =>
            parsed.GetValue(option) is { } place
                ? new PictureRegion
                {
                    Use = use,
                    Box = place.Box,
                    PictureIndex = place.Picture,
                }
                : null;
    }

    /// <summary>A region of a picture, as <c>0.1,0.2,0.5,0.6</c> or, of the second picture, <c>1:0.1,...</c>.</summary>
    private sealed class RegionOption : Option<(int Picture, RegionBox Box)?>
    {
        public RegionOption(string name, string description)
            : base(name)
        {
            Description =
                $"{description} Edges are parts of the picture's sides, from 0 to 1; N is the picture, from 0, which is the first.";
            HelpName = "[N:]LEFT,TOP,RIGHT,BOTTOM";
            CustomParser = Parse;
            Arity = ArgumentArity.ExactlyOne;
        }

        private (int Picture, RegionBox Box)? Parse(ArgumentResult result)
        {
            var text = result.Tokens[0].Value;
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var picture = 0;
            var isRight =
                colon < 0
                || int.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out picture);
            double[] edges =
            [
                .. text[(colon + 1)..]
                    .Split(',')
                    .Select(part =>
                        double.TryParse(
                            part,
                            NumberStyles.AllowDecimalPoint,
                            CultureInfo.InvariantCulture,
                            out var edge
                        )
                            ? edge
                            : double.NaN
                    ),
            ];
            if (
                isRight
                && edges
                    is [>= 0 and <= 1 and var left, >= 0 and <= 1 and var top, <= 1 and var right, <= 1 and var bottom]
                && right > left
                && bottom > top
            )
            {
                return (picture, new RegionBox(left, top, right, bottom));
            }

            result.AddError(
                $"{Name} {OutsideText.Quoted(text)} is no region; left, top, right and bottom edge are needed, from 0 to 1, as in 0.25,0,0.5,0.75."
            );
            return null;
        }
    }
}
