using System.CommandLine;
using System.Text.Json;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Gguf;
using Tamx.Llama.Media;

namespace Tamx.Cli;

/// <summary><c>tamx info</c>: describes a model and this machine, and says what would run where.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var modelArguments = new ModelArguments();
        var json = new Option<bool>("--json") { Description = "Print it as JSON." };
        var command = new DocumentedCommand(
            "info",
            "Describes a model, the devices of this machine, and what would run where.",
            ("tamx info", "This machine, and the demo model."),
            ("tamx info -m MODEL.gguf --mmproj MMPROJ.gguf -ngl -1 --json", "A model, as JSON.")
        )
        {
            json,
        };
        modelArguments.AddTo(command);
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    () =>
                    {
                        modelArguments.AddTo(new CommandFiles(), parsed);
                        var info = Read(modelArguments.Read(parsed));
                        var output = parsed.InvocationConfiguration.Output;
                        if (parsed.GetValue(json))
                        {
                            output.WriteLine(JsonSerializer.Serialize(info, ExplainSummary.Json));
                        }
                        else
                        {
                            var text = new StringWriter { NewLine = output.NewLine };
                            Write(text, info);
                            output.Write(OutsideText.Lines(text.ToString()));
                        }

                        return ExitCode.Ok;
                    },
                    cancellationToken
                )
        );
        return command;
    }

    private static Info Read(ModelOptions options)
    {
        var facts = Preflight.CheckModel(GgufModel.Open(options.ModelPath));
        ProjectorFacts? projector = null;
        if (options.ProjectorPath is { } path)
        {
            projector = Preflight.CheckProjector(GgufModel.Open(path));
            Preflight.CheckPair(facts, projector);
        }

        LlamaRuntime.RequireDevices(options);
        var devices = LlamaRuntime.Devices;
        var gpu = devices.FirstOrDefault(device =>
            options.Device.Length > 0 ? device.Name == options.Device : device.IsGpu
        );
        var cpu = devices.First(device => device.Kind == ComputeDeviceKind.Cpu);
        var offloaded = gpu is null ? 0 : options.LayersOnGpu(facts);
        var passedOver = new List<string>();
        using var engine = TamEngines.Create(EngineKind.Auto, passedOver.Add);
        return new Info(
            new ModelInfo(
                facts.Path,
                facts.Name,
                facts.Description,
                facts.Family,
                facts.Architecture,
                facts.Quantization,
                facts.ByteCount,
                facts.ParameterCount,
                facts.LayerCount,
                facts.AttentionLayers,
                facts.ExpertCount,
                facts.HiddenSize,
                facts.HeadCount,
                facts.KeyValueHeadCount,
                facts.ContextLength,
                facts.VocabularySize,
                facts.IsTied,
                facts.OutputEmbedding.Name,
                facts.OutputEmbedding.Type.Name,
                facts.DeepstackLayerCount
            ),
            projector is null
                ? null
                : new ProjectorInfo(
                    projector.Path,
                    projector.ProjectorType,
                    projector.ByteCount,
                    projector.ParameterCount,
                    projector.LayerCount,
                    projector.HiddenSize,
                    projector.PatchSize,
                    projector.SpatialMergeSize,
                    projector.CellSize,
                    projector.ImageSize,
                    projector.IsSquare,
                    projector.MinTiles,
                    projector.MaxTiles,
                    projector.DeepstackLayerIndices
                ),
            new RuntimeInfo(
                LlamaRuntime.Version,
                LlamaRuntime.Directory,
                [
                    .. devices.Select(device => new DeviceInfo(
                        device.Name,
                        device.Description,
                        device.Kind.ToString(),
                        device.FreeMemoryBytes,
                        device.TotalMemoryBytes
                    )),
                ],
                [.. TamEngines.All.Select(kind => kind.Name)],
                [
                    .. TamEngines.Devices.Select(device => new MapDeviceInfo(
                        device.Name,
                        device.Kind.Name,
                        device.Description,
                        device.MemoryBytes,
                        device.IsGpu
                    )),
                ],
                passedOver,
                Video.FfmpegPath
            ),
            new Placement(
                offloaded == 0
                    ? $"{facts.LayerCount} layers on {cpu.Name}"
                    : $"{offloaded} of {facts.LayerCount} layers on {gpu!.Name} (about {ByteSize.Describe((double)facts.ByteCount * offloaded / facts.LayerCount)} of weights), the rest on {cpu.Name}",
                projector is null ? null
                    : gpu is null || options.GpuLayerCount == 0 || !options.OffloadProjector ? cpu.Name
                    : $"{gpu.Name} ({ByteSize.Describe(projector.ByteCount)} of weights)",
                offloaded == 0
                    ? null
                    : $"{ByteSize.Describe(1000.0 * facts.ContextBytesPerToken(offloaded))} on {gpu!.Name} per 1000 tokens",
                engine.Name,
                options.ThreadCount
            )
        );
    }

    private static void Write(TextWriter output, Info info)
    {
        var model = info.Model;
        output.WriteLine($"Model      {model.Name ?? Path.GetFileName(model.Path)}  ({model.Path})");
        output.WriteLine(
            $"           {model.Architecture} ({model.Family}), {model.Quantization}, {Amount(model.Parameters)} parameters, {ByteSize.Describe(model.Bytes)}"
        );
        var attention =
            model.AttentionLayers.Count == model.Layers
                ? "all"
                : $"{string.Join(", ", model.AttentionLayers)} (evidence comes from these alone; the others are recurrent)";
        output.WriteLine($"           layers with softmax attention: {attention}");
        if (model.Experts > 0)
        {
            output.WriteLine($"           {model.Experts} experts per layer");
        }

        output.WriteLine(
            $"           {model.Layers} layers, hidden size {model.HiddenSize}, {model.Heads} heads ({model.KeyValueHeads} key-value), context {model.ContextLength}"
        );
        output.WriteLine(
            $"           {model.VocabularySize} tokens; output embedding {(model.TiedHead ? "tied to the input" : "of its own")}: {model.HeadTensor}, {model.HeadType}"
        );
        if (info.Projector is { } projector)
        {
            output.WriteLine($"Projector  {projector.Type}  ({projector.Path})");
            output.WriteLine(
                $"           {Amount(projector.Parameters)} parameters, {ByteSize.Describe(projector.Bytes)}, {projector.Layers} layers, hidden size {projector.HiddenSize}"
            );
            var deepstack =
                projector.DeepstackLayers.Count == 0
                    ? "no deepstack"
                    : $"deepstack from layers {string.Join(", ", projector.DeepstackLayers)}";
            output.WriteLine(
                $"           patches of {projector.PatchSize} px, {projector.SpatialMergeSize}x{projector.SpatialMergeSize} to a cell of {projector.CellSize} px; {deepstack}"
            );
            if (projector.Square)
            {
                var side = projector.ImageSize / projector.CellSize;
                var tiles =
                    projector.MaxTiles == 1
                        ? "every picture is one"
                        : $"a picture is {projector.MinTiles} to {projector.MaxTiles}, and one of the whole after several";
                output.WriteLine(
                    $"           tiles of {projector.ImageSize}x{projector.ImageSize} px, {side}x{side} cells; {tiles}"
                );
            }
        }
        else
        {
            output.WriteLine("Projector  none: text only (give one with --mmproj)");
        }

        output.WriteLine($"llama.cpp  {info.Runtime.LlamaVersion}  ({info.Runtime.Directory})");
        foreach (var device in info.Runtime.Devices)
        {
            output.WriteLine(
                $"           {device.Name}: {device.Description.Trim()}, {ByteSize.Describe(device.FreeBytes)} of {ByteSize.Describe(device.TotalBytes)} free"
            );
        }

        output.WriteLine(
            $"Runs       model: {info.Placement.Model}; {info.Placement.Threads} {(info.Placement.Threads == 1 ? "thread" : "threads")}"
        );
        if (info.Placement.Projector is { } place)
        {
            output.WriteLine($"           projector: {place}");
        }

        if (info.Placement.Context is { } context)
        {
            output.WriteLine($"           context: {context}");
        }

        output.WriteLine(
            $"           video files: {info.Runtime.Ffmpeg ?? "no ffmpeg on the PATH; folders of pictures and animated GIF or WebP need none"}"
        );
        output.WriteLine(
            $"           maps: engine {info.Placement.Engine} (of {string.Join(", ", info.Runtime.Engines)})"
        );
        foreach (var line in info.Runtime.PassedOver)
        {
            output.WriteLine($"           {line}");
        }

        foreach (var device in info.Runtime.MapDevices)
        {
            output.WriteLine(
                $"           device {device.Name}: {device.Description}, {ByteSize.Describe(device.Bytes)}{(device.Gpu ? string.Empty : ", no GPU")}"
            );
        }
    }

    private static string Amount(long count) =>
        count switch
        {
            >= 1_000_000_000 => FormattableString.Invariant($"{count / 1e9:0.##} G"),
            >= 1_000_000 => FormattableString.Invariant($"{count / 1e6:0.##} M"),
            _ => FormattableString.Invariant($"{count / 1e3:0.#} k"),
        };

    private sealed record Info(ModelInfo Model, ProjectorInfo? Projector, RuntimeInfo Runtime, Placement Placement);

    private sealed record ModelInfo(
        string Path,
        string? Name,
        string? Description,
        string Family,
        string Architecture,
        string Quantization,
        long Bytes,
        long Parameters,
        int Layers,
        IReadOnlyList<int> AttentionLayers,
        int Experts,
        int HiddenSize,
        int Heads,
        int KeyValueHeads,
        int ContextLength,
        int VocabularySize,
        bool TiedHead,
        string HeadTensor,
        string HeadType,
        int DeepstackLayers
    );

    private sealed record ProjectorInfo(
        string Path,
        string Type,
        long Bytes,
        long Parameters,
        int Layers,
        int HiddenSize,
        int PatchSize,
        int SpatialMergeSize,
        int CellSize,
        int ImageSize,
        bool Square,
        int MinTiles,
        int MaxTiles,
        IReadOnlyList<int> DeepstackLayers
    );

    private sealed record RuntimeInfo(
        string LlamaVersion,
        string Directory,
        IReadOnlyList<DeviceInfo> Devices,
        IReadOnlyList<string> Engines,
        IReadOnlyList<MapDeviceInfo> MapDevices,
        IReadOnlyList<string> PassedOver,
        string? Ffmpeg
    );

    private sealed record MapDeviceInfo(string Name, string Engine, string Description, long Bytes, bool Gpu);

    private sealed record DeviceInfo(string Name, string Description, string Kind, ulong FreeBytes, ulong TotalBytes);

    private sealed record Placement(string Model, string? Projector, string? Context, string Engine, int Threads);
}
