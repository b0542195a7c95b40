using System.CommandLine;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary><c>tamx report</c>: a report of a saved trace, or a comparison of two.</summary>
internal sealed class ReportCommand
{
    private readonly Argument<string[]> _traces = new("TRACE.safetensors")
    {
        Description = "A trace that tamx saved, or a dump with TAMX's tensor names; two with --compare.",
        Arity = new ArgumentArity(1, 2),
    };

    private readonly Option<string> _output = new("-o", "--output")
    {
        Description = "The report to write; - for stdout.",
        HelpName = "FILE.html|-",
        DefaultValueFactory = _ => "tamx-report.html",
    };

    private readonly Option<bool> _compare = new("--compare")
    {
        Description =
            "Show two runs of the same answer side by side, with their difference: two traces, or one trace with other options (--second-set).",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<string[]> _second = MethodOptions.SetOption(
        "--second-set",
        "With --compare, an option of the method for the second run only: --second-set applyEci=false. May be given several times."
    );

    private readonly TextOption _title = new("--title") { Description = "The page's title.", HelpName = "TEXT" };
    private readonly Option<string?> _model = new("-m", "--model")
    {
        Description =
            "The model that the run was made with, a GGUF file or the folder of its makers' safetensors: for a dump without output-embedding rows, and for --candidates.",
        HelpName = "FILE|FOLDER",
    };

    private readonly LayerOption _layers = new(
        "--layers",
        "Show the maps of these layers, too, which the trace must have: numbers from 0, \"last\" or \"all\", with commas between."
    );
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly ReportArguments _report = new();
    private readonly ExportArguments _export = new();

    public static Command Create() => new ReportCommand().Build();

    private DocumentedCommand Build()
    {
        var command = new DocumentedCommand(
            "report",
            "Writes a report of a saved trace.",
            (
                "tamx report run.safetensors -o report.html",
                "The report of a trace that tamx explain --save-trace kept."
            ),
            (
                "tamx report --compare q4.safetensors q8.safetensors -o compared.html",
                "Two runs of one answer side by side."
            )
        )
        {
            _traces,
            _output,
            _compare,
            _second,
            _title,
            _model,
        };
        var candidates = new CandidateOption(_model);
        candidates.AddTo(command);
        var dump = new DumpArguments();
        dump.AddTo(command);
        _method.AddMethodTo(command);
        command.Options.Add(_layers);
        _method.AddTo(command);
        _engine.AddTo(command);
        command.Options.Add(_engine.Verbose);
        _report.AddTo(command);
        _export.AddTo(command);
        command.AddCheck(result =>
        {
            var count = result.GetValue(_traces)?.Length ?? 0;
            var hasSecond = result.GetValue(_second) is { Length: > 0 };
            if (!result.GetValue(_compare) && (count > 1 || hasSecond))
            {
                result.AddError(
                    count > 1
                        ? "two traces are for --compare; give it, or one trace."
                        : "--second-set is for --compare; give it too."
                );
            }
            else if (result.GetValue(_compare) && count < 2 && !hasSecond)
            {
                result.AddError("--compare needs two traces, or one trace and --second-set.");
            }
        });
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(() => RunAsync(parsed, candidates, dump, cancellationToken), cancellationToken)
        );
        return command;
    }

    private async Task<int> RunAsync(
        ParseResult parsed,
        CandidateOption candidates,
        DumpArguments dump,
        CancellationToken cancellationToken
    )
    {
        var context = CommandContext.Of(parsed);
        var output = parsed.GetRequiredValue(_output);
        var traces = parsed.GetRequiredValue(_traces);
        var options = _method.Read(parsed, null);
        var secondOptions = MethodOptions.Set(options, parsed.GetValue(_second));
        options.Validate();
        secondOptions.Validate();
        var files = new CommandFiles()
            .Reads("the command", traces)
            .Reads(_model.Name, parsed.GetValue(_model))
            .Writes(_output.Name, output);
        _export.AddTo(files, parsed);
        files.Check();

        using var engine = _engine.Create(parsed, parsed.GetValue(_engine.Verbose));
        var page = _report.Read(parsed) with { Title = parsed.GetValue(_title) };
        var first = Compute(Load(traces[0]), options);
        int[] captured = [.. first.Trace.Layers.Select(states => states.Layer), -1];
        var layers = _layers.Read(parsed, captured);
        page = page with { Others = _method.Others(parsed, first.Trace, options, layers, engine, cancellationToken) };
        var second = parsed.GetValue(_compare)
            ? Compute(traces.Length > 1 ? Load(traces[1]) : first.Trace, secondOptions)
            : null;
        await OutputFile.WriteAsync(
            context,
            output,
            stream =>
                second is null
                    ? HtmlReport.WriteAsync(first.Trace, first.Maps, stream, page, cancellationToken)
                    : HtmlReport.WriteComparisonAsync(first, second, stream, page, cancellationToken),
            cancellationToken
        );
        await _export.WriteAsync(parsed, first.Trace, first.Maps, cancellationToken);
        context.Error.WriteLine(
            OutsideText.Line(
                $"{OutputFile.Describe(output)}: {first.Maps.Answer.Count} tokens explained; open it in a browser."
            )
        );
        return ExitCode.Ok;

        Trace Load(string path) => candidates.Load(parsed, path, dump.Read(parsed), options, engine, cancellationToken);
        ReportRun Compute(Trace trace, TamOptions method) =>
            new(trace, ActivationMaps.Compute(trace, method, engine, cancellationToken));
    }
}
