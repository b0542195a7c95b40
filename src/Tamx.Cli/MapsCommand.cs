using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Tamx.Kernels;

namespace Tamx.Cli;

/// <summary><c>tamx maps</c>: activation maps of a saved trace or TAMX dump.</summary>
internal static class MapsCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("IN")
        {
            Description = "A trace that tamx saved, or a dump of TAMX's scripts, of vLLM or of SGLang.",
        };
        var output = new Option<string>("-o", "--output")
        {
            Description = "Where to write the maps; - for stdout.",
            HelpName = "OUT.safetensors|-",
            Required = true,
        };
        var model = new Option<string?>("-m", "--model")
        {
            Description =
                "The model that the run was made with, a GGUF file or the folder of its makers' safetensors: for a dump without output-embedding rows, as TAMX's scripts write it, and for --candidates.",
            HelpName = "FILE|FOLDER",
        };
        var defaults = new TamOptions();
        var merge = new Option<int>("--merge")
        {
            Description =
                "Patches that the vision tower merges into one cell, per axis; 0 for 2, or for the size that fits where 2 does not.",
            HelpName = "S",
            DefaultValueFactory = _ => defaults.MergeSize,
        };
        var temporalMerge = new Option<int>("--temporal-merge")
        {
            Description = "Temporal patches merged into one.",
            HelpName = "T",
            DefaultValueFactory = _ => defaults.TemporalMergeSize,
        };
        var repeat = new Option<int>("--repeat")
        {
            Description = "Compute this often, for timing.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        var json = new Option<bool>("--json") { Description = "Print a summary with timings to stdout." };
        repeat.RequireWithin(1, 10_000);
        merge.RequireAtLeast(0);
        temporalMerge.RequireAtLeast(1);
        var mapsJson = new MapsJsonOutput();
        var methodOptions = new MethodOptions();
        var engineArguments = new EngineArguments();
        var command = new DocumentedCommand(
            "maps",
            "Computes activation maps from a saved trace.",
            ("tamx maps run.safetensors -o maps.safetensors", "Maps of a trace that tamx explain --save-trace kept."),
            (
                "tamx maps dump.safetensors -m MODEL.gguf -o maps.safetensors --export png,csv --out-dir maps",
                "Maps of a dump that TAMX's scripts wrote, as pictures and tables too."
            )
        )
        {
            input,
            output,
            model,
            merge,
            temporalMerge,
            repeat,
            json,
        };
        var candidates = new CandidateOption(model);
        candidates.AddTo(command);
        var dump = new DumpArguments();
        dump.AddTo(command);
        methodOptions.AddMethodTo(command);
        methodOptions.AddTo(command);
        engineArguments.AddTo(command);
        command.Options.Add(engineArguments.Verbose);
        mapsJson.AddTo(command);
        var export = new ExportArguments();
        export.AddTo(command);
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                var options = methodOptions.Read(parsed, null) with
                {
                    MergeSize = parsed.GetValue(merge),
                    TemporalMergeSize = parsed.GetValue(temporalMerge),
                };
                var context = CommandContext.Of(parsed);
                var (from, to, count) = (
                    parsed.GetRequiredValue(input),
                    parsed.GetRequiredValue(output),
                    parsed.GetValue(repeat)
                );
                var files = new CommandFiles()
                    .Reads("the command", from)
                    .Reads(model.Name, parsed.GetValue(model))
                    .Writes(output.Name, to)
                    .Prints(json.Name, parsed.GetValue(json));
                dump.AddTo(files, parsed);
                mapsJson.AddTo(files, parsed);
                export.AddTo(files, parsed);
                return Task.Run(
                    async () =>
                    {
                        options.Validate();
                        files.Check();
                        using var engine = engineArguments.Create(parsed, parsed.GetValue(engineArguments.Verbose));
                        var (trace, maps, summary) = await RunAsync(
                            () => candidates.Load(parsed, from, dump.Read(parsed), options, engine, cancellationToken),
                            to,
                            options,
                            engine,
                            count,
                            context,
                            cancellationToken
                        );
                        await mapsJson.WriteAsync(parsed, trace, maps, cancellationToken);
                        await export.WriteAsync(parsed, trace, maps, cancellationToken);
                        if (parsed.GetValue(json))
                        {
                            context.Output.WriteLine(JsonSerializer.Serialize(summary, JsonSerializerOptions.Web));
                        }

                        return ExitCode.Ok;
                    },
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static async Task<(Trace, ActivationMaps, Summary)> RunAsync(
        Func<Trace> read,
        string output,
        TamOptions options,
        ITamEngine engine,
        int repeatCount,
        CommandContext context,
        CancellationToken cancellationToken
    )
    {
        var watch = Stopwatch.StartNew();
        var trace = read();
        var load = watch.Elapsed.TotalSeconds;
        cancellationToken.ThrowIfCancellationRequested();
        var compute = new double[repeatCount];
        ActivationMaps maps;
        var round = 0;
        do
        {
            watch.Restart();
            maps = ActivationMaps.Compute(trace, options, engine, cancellationToken);
            compute[round++] = watch.Elapsed.TotalSeconds;
        } while (round < repeatCount);

        watch.Restart();
        await OutputFile.WriteAsync(context, output, maps.Save, cancellationToken);
        var write = watch.Elapsed.TotalSeconds;
        var mapCount = maps
            .Answer.SelectMany(token => token.Candidates.Prepend(token.Token))
            .Sum(token => token.VisionMaps.Count(map => map is not null));
        context.Error.WriteLine(
            OutsideText.Line(
                $"{OutputFile.Describe(output)}: {mapCount} maps of {maps.Answer.Count} answer tokens, by the {engine.Name} engine"
            )
        );
        return (trace, maps, new Summary(engine.Name, maps.Answer.Count, mapCount, new Seconds(load, compute, write)));
    }

    private sealed record Summary(string Engine, int AnswerTokens, int Maps, Seconds Seconds);

    private sealed record Seconds(double Load, double[] Compute, double Write);
}
