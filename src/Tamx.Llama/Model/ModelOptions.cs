using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>Which model to load, and how.</summary>
public sealed record ModelOptions
{
    /// <summary>The text model, a GGUF file (the first part of a split one).</summary>
    public required string ModelPath { get; init; }

    /// <summary>The vision projector (mmproj), a GGUF file; null for text alone.</summary>
    public string? ProjectorPath { get; init; }

    /// <summary>Layers on the GPU; -1 for all of them. 0 by default.</summary>
    public int GpuLayerCount { get; init; }

    /// <summary>
    /// The device for these layers, by its name in <see cref="LlamaRuntime.Devices"/>. <c>none</c> is the CPU alone;
    /// empty (the default) is all GPUs.
    /// </summary>
    public string Device { get; init; } = string.Empty;

    /// <summary>
    /// Servers of llama.cpp's RPC back end (<c>rpc-server</c>), each <c>host:port</c>. Their devices are used as this
    /// machine's GPUs are. None by default. The libraries must have been built with that back end.
    /// </summary>
    /// <remarks>
    /// The protocol knows neither passwords nor encryption, and its server trusts what it is sent: for networks in
    /// which everybody is trusted.
    /// </remarks>
    public IReadOnlyList<string> RpcServers { get; init; } = [];

    /// <summary>Put the vision projector on the GPU if layers are put there. True by default.</summary>
    public bool OffloadProjector { get; init; } = true;

    /// <summary>
    /// Threads for the model. By default half the logical CPUs: ggml's threads spin, so more are slower.
    /// </summary>
    public int ThreadCount { get; init; } = (Environment.ProcessorCount + 1) / 2;

    /// <summary>Least cells per picture; 0 for the model's own, else 8. Smaller pictures are enlarged.</summary>
    public int MinImageTokens { get; init; }

    /// <summary>Most cells per picture; 0 for the model's own, else 4096. Larger pictures are reduced.</summary>
    public int MaxImageTokens { get; init; }

    /// <summary>
    /// Both bounds, which are one number where libmtmd is shown squares of one size. One that is not given is
    /// llama.cpp's for the Qwen-VL family, which the projector's file may narrow, or the given one if that is beyond
    /// it.
    /// </summary>
    /// <param name="projector">The projector that the pictures are for.</param>
    internal (int Least, int Most) ImageTokenBounds(ProjectorFacts projector)
    {
        const int DefaultLeast = 8;
        const int DefaultMost = 4096;
        var cellPixels = projector.CellSize * projector.CellSize;
        if (projector.IsSquare)
        {
            // What libmtmd is shown of a picture is a tile at a time.
            var side = projector.ImageSize / projector.CellSize;
            return (side * side, side * side);
        }

        var ownMost = Math.Clamp((projector.MaxPixels ?? int.MaxValue) / cellPixels, 1, DefaultMost);
        var ownLeast = projector.MinPixels is { } pixels
            ? (int)Math.Ceiling((double)pixels / cellPixels)
            : DefaultLeast;
        ownLeast = Math.Min(ownLeast, ownMost);
        var least =
            MinImageTokens > 0 ? MinImageTokens : Math.Min(ownLeast, MaxImageTokens > 0 ? MaxImageTokens : ownLeast);
        var most = MaxImageTokens > 0 ? MaxImageTokens : Math.Max(ownMost, least);
        return (least, most);
    }

    /// <summary>Map the file instead of reading it. True by default.</summary>
    public bool UseMemoryMap { get; init; } = true;

    /// <summary>
    /// Where the model, its answers and their maps are logged, and llama.cpp's own lines about them. Nothing is logged
    /// by default. No text of a prompt or an answer ever is.
    /// </summary>
    [JsonIgnore]
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Refuses values that no model can be loaded with.</summary>
    /// <exception cref="InvalidInputException">A value is missing or out of its range; the message names it.</exception>
    public void Validate()
    {
        if (string.IsNullOrEmpty(ModelPath))
        {
            throw InvalidInputException.Naming($"{Settings.ModelPath} is missing; it names the model's GGUF file");
        }

        RpcServer.Check(RpcServers);
        Settings.RequireAtLeast(1, ThreadCount, Settings.ThreadCount);
        Settings.RequireAtLeast(0, MinImageTokens, Settings.MinImageTokens);
        Settings.RequireAtLeast(0, MaxImageTokens, Settings.MaxImageTokens);
    }

    /// <summary>How many of a model's layers go to the GPU. The output counts as one more, and goes first.</summary>
    /// <param name="facts">The model.</param>
    public int LayersOnGpu(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return GpuLayerCount < 0 ? facts.LayerCount : Math.Clamp(GpuLayerCount - 1, 0, facts.LayerCount);
    }
}

/// <summary>How far loading has come.</summary>
/// <param name="Stage">What is being loaded: <c>model</c> or <c>projector</c>.</param>
/// <param name="Share">Share of the stage in [0, 1].</param>
public readonly record struct ModelLoadProgress(string Stage, float Share);
