using System.CommandLine;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary><c>--candidates</c> of the commands that read a trace.</summary>
internal sealed class CandidateOption
{
    /// <summary>Bytes from which it is said beforehand what a trace takes.</summary>
    private const long LeastSaid = 1 << 28;

    private readonly Option<int> _count = new("--candidates")
    {
        Description =
            $"Find the best tokens of each step (1 to {ITamEngine.MaxTopCount}) with the model (-m) and explain them too, in place of those that the trace has.",
        HelpName = "K",
    };

    private readonly Option<string?> _model;

    /// <summary>Creates the option.</summary>
    /// <param name="model">The command's option for the model.</param>
    public CandidateOption(Option<string?> model)
    {
        _model = model;
        _count.RequireWithin(1, ITamEngine.MaxTopCount);
    }

    /// <summary>Adds the option to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_count);
        command.AddCheck(result =>
        {
            if (result.GetResult(_count) is not null && result.GetValue(_model) is null)
            {
                result.AddError(
                    "--candidates are found with the model that the run was made with; give its GGUF file (-m)."
                );
            }
        });
    }

    /// <summary>The trace of a file, with candidates if the command line asks for them.</summary>
    public Trace Load(
        ParseResult parsed,
        string path,
        DumpOptions? dump,
        TamOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        var size = TraceFile.Measure(path, dump);
        if (size.HeldBytes + size.MappedBytes >= LeastSaid)
        {
            CommandContext
                .Of(parsed)
                .Error.WriteLine(
                    OutsideText.Line(
                        $"{path}: takes {ByteSize.Describe(size.HeldBytes)} of the {ByteSize.Describe(MemoryEstimate.MachineBytes)} of memory here; {ByteSize.Describe(size.MappedBytes)} of hidden states stay in the file"
                    )
                );
        }

        var model = parsed.GetValue(_model);
        var trace = TraceFile.Load(path, model, dump);
        return parsed.GetResult(_count) is null
            ? trace
            : trace.WithCandidates(model!, parsed.GetValue(_count), options, engine, cancellationToken);
    }
}
