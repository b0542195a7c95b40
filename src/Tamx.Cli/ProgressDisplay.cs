using Spectre.Console;
using Tamx.Evaluation;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>Shows a run's progress on stderr: bars on a terminal, nothing elsewhere.</summary>
internal sealed class ProgressDisplay
    : IProgress<ModelLoadProgress>,
        IProgress<ExplainProgress>,
        IProgress<EvaluationProgress>,
        IAsyncDisposable
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

    private readonly Dictionary<string, ProgressTask> _tasks = [];
    private readonly TaskCompletionSource _end = new();
    private ProgressContext? _context;
    private Task _display = Task.CompletedTask;

    private ProgressDisplay() { }

    /// <summary>Shows the progress of work that reports it, until the end.</summary>
    public static ProgressDisplay Start(TextWriter error)
    {
        var display = new ProgressDisplay();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        if (!console.Profile.Out.IsTerminal)
        {
            return display;
        }

        display._display = console
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .StartAsync(context =>
            {
                display._context = context;
                return display._end.Task;
            });
        return display;
    }

    /// <summary>Clears the bars, so that something else can be written to the terminal.</summary>
    public async Task EndAsync()
    {
        _context = null;
        _end.TrySetResult();
        await _display;
    }

    public async ValueTask DisposeAsync() => await EndAsync();

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
