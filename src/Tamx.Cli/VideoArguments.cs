using System.CommandLine;
using System.CommandLine.Parsing;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Cli;

/// <summary>The options for videos and for the frames to look at.</summary>
internal sealed class VideoArguments
{
    private static readonly VideoSampling Defaults = new();

    private readonly Option<string[]> _videos = new("--video")
    {
        Description =
            "A video file (needs ffmpeg), an animated GIF or WebP, a folder of pictures, or several pictures, which are the frames of one video.",
        HelpName = "FILE",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<double?> _fps = new("--fps")
    {
        Description =
            $"Frames to look at per second of a video; for single pictures the rate at which they were taken. By default {Defaults.FramesPerSecond}",
        HelpName = "F",
    };

    private readonly Option<int?> _maxFrames = new("--max-frames")
    {
        Description = $"Most frames to look at. By default {Defaults.MaxFrames}",
        HelpName = "N",
    };

    public void AddTo(Command command)
    {
        _fps.RequireWithin(0.001, 1000);
        _maxFrames.RequireAtLeast(1);
        command.Options.Add(_videos);
        command.Options.Add(_fps);
        command.Options.Add(_maxFrames);
        command.AddCheck(result =>
        {
            if (!IsGiven(result) && (result.GetResult(_fps) ?? result.GetResult(_maxFrames)) is { } option)
            {
                result.AddError($"{option.Option.Name} needs --video.");
            }
        });
    }

    /// <summary>Whether there is a video.</summary>
    public bool IsGiven(CommandResult result) => result.GetResult(_videos) is not null;

    /// <summary>Adds the videos to the command's inputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) =>
        files.Reads(_videos.Name, parsed.GetValue(_videos) ?? []);

    /// <summary>The videos in their order on the command line.</summary>
    public IReadOnlyList<VideoPart> Read(ParseResult parsed, CancellationToken cancellationToken)
    {
        var paths = parsed.GetValue(_videos) ?? [];
        var sampling = new VideoSampling
        {
            FramesPerSecond = parsed.GetValue(_fps) ?? Defaults.FramesPerSecond,
            MaxFrames = parsed.GetValue(_maxFrames) ?? Defaults.MaxFrames,
        };
        return paths.Length > 1 && paths.All(IsStillPicture)
            ? [VideoPart.FromFrames([.. paths.Select(ImagePart.FromFile)], sampling)]
            : [.. paths.Select(path => VideoPart.FromFile(path, sampling, cancellationToken))];
    }

    private static bool IsStillPicture(string path) =>
        RgbImage.IsPictureFile(path) && VideoPart.FromFile(path).Seconds.Count == 1;
}
