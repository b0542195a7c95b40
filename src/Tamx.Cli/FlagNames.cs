using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Media;
using Tamx.Web;

namespace Tamx.Cli;

/// <summary>The flags of the library's settings, for messages that name a setting.</summary>
internal static class FlagNames
{
    /// <summary>The flag of a setting; null if there is none.</summary>
    public static string? Of(Setting setting) =>
        setting.Property switch
        {
            "modelPath" => "-m",
            nameof(CompletionOptions.CandidateCount) => "--candidates",
            nameof(CompletionOptions.ContextSize) => "-c",
            nameof(CompletionOptions.Layers) => "--layers",
            nameof(CompletionOptions.LogitBias) => "--logit-bias",
            nameof(CompletionOptions.MaxNewTokens) => "-n",
            nameof(CompletionOptions.Region) => "--hide, --keep or --look-at",
            nameof(CompletionOptions.StopTexts) => "--stop",
            nameof(CompletionOptions.Thinking) => "--reasoning",
            nameof(ModelOptions.GpuLayerCount) => "-ngl",
            nameof(ModelOptions.MaxImageTokens) => "--image-max-tokens",
            nameof(ModelOptions.MinImageTokens) => "--image-min-tokens",
            nameof(ModelOptions.ProjectorPath) => "--mmproj",
            nameof(ModelOptions.RpcServers) => "--rpc",
            nameof(VideoSampling.FramesPerSecond) => "--fps",
            nameof(VideoSampling.MaxFrames) => "--max-frames",
            nameof(DumpOptions.DumpLayers) => "--dump-layers",
            nameof(DumpOptions.Grids) => "--grid",
            nameof(DumpOptions.Pictures) => "--image",
            nameof(EngineOptions.MaxWorkingBytes) => "--max-working-bytes",
            nameof(TamOptions.Layer) => "--layer",
            nameof(TamOptions.Method) => "--method evidence or lens",
            nameof(TamOptions.MergeSize) => "--merge",
            nameof(ServerOptions.AllowedHosts) => "--allow-host",
            nameof(ServerOptions.AllowedOrigins) => "--cors",
            nameof(ServerOptions.ApiKey) => "--api-key",
            nameof(ServerOptions.Host) => "--host",
            nameof(ServerOptions.Port) => "--port",
            nameof(ServerOptions.QueueLength) => "--queue",
            nameof(RequestLimits.MaxAnswerTokens) => "--max-tokens",
            nameof(RequestLimits.MaxBodyBytes) => "--max-body-mb",
            nameof(RequestLimits.MaxBodySeconds) => "--max-body-seconds",
            nameof(RequestLimits.MaxContextTokens) => "--max-context",
            nameof(RequestLimits.MaxPictureBytes) => "--max-picture-mb",
            nameof(RequestLimits.MaxPicturePixels) => "--max-megapixels",
            nameof(RequestLimits.MaxPictures) => "--max-pictures",
            nameof(RequestLimits.MaxRuns) => "--max-runs",
            nameof(RequestLimits.MaxSeconds) => "--max-seconds",
            nameof(RequestLimits.MaxTextCharacters) => "--max-text",
            _ => null,
        };
}
