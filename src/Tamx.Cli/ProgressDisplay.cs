using Spectre.Console;
using Tamx.Evaluation;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>Shows a run's progress on stderr: bars on a terminal, nothing elsewhere.</summary>
internal sealed class ProgressDisplay
    : IProgress<ModelLoadProgress>,
        IProgress<ExplainProgress>,
        IProgress<EvaluationProgress>
{
    private static readonly Dictionary<string, string> Titles = new()
    {
        ["model"] = "Loading the model",
        ["projector"] = "Loading the projector",
        ["encode"] = "Encoding pictures",
        ["prefill"] = "Reading the prompt",
        ["generate"] = "Writing the answer",
        ["maps"] = "Computing maps",
        ["evaluate"] = "Evaluating",
    };

    private readonly ProgressContext? _context;
    private readonly Dictionary<string, ProgressTask> _tasks = [];

    private ProgressDisplay(ProgressContext? context) => _context = context;

    /// <summary>Runs work that reports its progress.</summary>
    public static async Task<T> RunAsync<T>(TextWriter error, Func<ProgressDisplay, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        if (!console.Profile.Out.IsTerminal)
        {
            return await work(new ProgressDisplay(null));
        }

        return await console
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .StartAsync(context => work(new ProgressDisplay(context)));
    }

    public void Report(ModelLoadProgress value) => Show(value.Stage, value.Share, 1);

    public void Report(ExplainProgress value)
    {
        Show(value.Stage, value.Done, value.Total);

        // The number of tokens is not known before, nor whether there is more than one picture.
        if (value.Stage is "maps")
        {
            Finish("generate");
        }
        else if (value.Stage is "prefill")
        {
            Finish("encode");
        }
    }

    public void Report(EvaluationProgress value) => Show("evaluate", value.Done, value.Total);

    private void Show(string stage, double done, double total)
    {
        if (_context is null)
        {
            return;
        }

        if (!_tasks.TryGetValue(stage, out var task))
        {
            _tasks[stage] = task = _context.AddTask(Titles[stage]);
        }

        task.MaxValue = Math.Max(total, double.Epsilon);
        task.Value = done;
    }

    private void Finish(string stage)
    {
        if (_tasks.TryGetValue(stage, out var task))
        {
            task.Value = task.MaxValue;
        }
    }
}
