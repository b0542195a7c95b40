using Tamx.Llama.Media;

namespace Tamx.Llama;

/// <summary>The settings that this library's messages name.</summary>
internal static class Settings
{
    public static readonly Setting ContextSize = new(nameof(CompletionOptions.ContextSize));
    public static readonly Setting FramesPerSecond = new(nameof(VideoSampling.FramesPerSecond));
    public static readonly Setting GpuLayerCount = new(nameof(ModelOptions.GpuLayerCount));
    public static readonly Setting MaxFrames = new(nameof(VideoSampling.MaxFrames));
    public static readonly Setting MaxImageTokens = new(nameof(ModelOptions.MaxImageTokens));
    public static readonly Setting MinImageTokens = new(nameof(ModelOptions.MinImageTokens));
    public static readonly Setting ProjectorPath = new(nameof(ModelOptions.ProjectorPath));
}
