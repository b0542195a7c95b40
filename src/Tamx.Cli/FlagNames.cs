using Tamx.Llama;
using Tamx.Llama.Media;

namespace Tamx.Cli;

/// <summary>The flags that stand for the library's settings, for messages that name one.</summary>
internal static class FlagNames
{
    /// <summary>The flag of a setting; null if there is none.</summary>
    public static string? Of(Setting setting) =>
        setting.Property switch
        {
            nameof(CompletionOptions.ContextSize) => "-c",
            nameof(ModelOptions.GpuLayerCount) => "-ngl",
            nameof(ModelOptions.MaxImageTokens) => "--image-max-tokens",
            nameof(ModelOptions.MinImageTokens) => "--image-min-tokens",
            nameof(ModelOptions.ProjectorPath) => "--mmproj",
            nameof(VideoSampling.FramesPerSecond) => "--fps",
            nameof(VideoSampling.MaxFrames) => "--max-frames",
            _ => null,
        };
}
