namespace Tamx.Llama;

/// <summary>The settings that this library's messages name. A test holds that each is a property.</summary>
internal static class Settings
{
    public static readonly Setting CandidateCount = new("CandidateCount");
    public static readonly Setting ContextSize = new("ContextSize");
    public static readonly Setting FramesPerSecond = new("FramesPerSecond");
    public static readonly Setting GpuLayerCount = new("GpuLayerCount");
    public static readonly Setting Layers = new("Layers");
    public static readonly Setting LogitBias = new("LogitBias");
    public static readonly Setting MaxFrames = new("MaxFrames");
    public static readonly Setting MaxImageTokens = new("MaxImageTokens");
    public static readonly Setting MinImageTokens = new("MinImageTokens");
    public static readonly Setting ProjectorPath = new("ProjectorPath");
    public static readonly Setting StopTexts = new("StopTexts");
}
