namespace Tamx.Llama;

/// <summary>The settings that this library's messages name. A test holds that each is a property.</summary>
internal static class Settings
{
    public static readonly Setting BatchSize = new("BatchSize");
    public static readonly Setting CandidateCount = new("CandidateCount");
    public static readonly Setting ContextSize = new("ContextSize");
    public static readonly Setting FramesPerSecond = new("FramesPerSecond");
    public static readonly Setting GpuLayerCount = new("GpuLayerCount");
    public static readonly Setting Layers = new("Layers");
    public static readonly Setting LogitBias = new("LogitBias");
    public static readonly Setting MaxFrames = new("MaxFrames");
    public static readonly Setting MaxImageTokens = new("MaxImageTokens");
    public static readonly Setting MaxContextSize = new("MaxContextSize");
    public static readonly Setting MaxNewTokens = new("MaxNewTokens");
    public static readonly Setting MinImageTokens = new("MinImageTokens");
    public static readonly Setting ModelPath = new("ModelPath");
    public static readonly Setting ProjectorPath = new("ProjectorPath");
    public static readonly Setting Region = new("Region");
    public static readonly Setting RepeatLastN = new("RepeatLastN");
    public static readonly Setting RepeatPenalty = new("RepeatPenalty");
    public static readonly Setting RpcServers = new("RpcServers");
    public static readonly Setting StopTexts = new("StopTexts");
    public static readonly Setting Thinking = new("Thinking");
    public static readonly Setting ThreadCount = new("ThreadCount");

    /// <summary>Refuses a value that is too small.</summary>
    /// <exception cref="InvalidInputException">It is; the message names the setting.</exception>
    public static void RequireAtLeast(int least, int value, Setting setting)
    {
        if (value < least)
        {
            throw InvalidInputException.Naming($"{setting} is {value}; it must be at least {least}");
        }
    }
}
