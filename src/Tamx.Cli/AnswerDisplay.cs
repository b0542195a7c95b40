namespace Tamx.Cli;

/// <summary>Shows an answer: as it is written where a person reads it, else at the end.</summary>
/// <param name="context">Standard output, and standard error for an answer that has no room there.</param>
/// <param name="isTaken">Whether something else goes to standard output.</param>
internal sealed class AnswerDisplay(CommandContext context, bool isTaken)
{
    private bool _isWritten;

    /// <summary>Whether the answer is shown as it is written.</summary>
    public bool IsLive => context.OutputIsTerminal && !isTaken;

    /// <summary>A piece of the answer, as it is written.</summary>
    public void Write(string text)
    {
        context.Output.Write(OutsideText.Lines(text));
        context.Output.Flush();
        _isWritten = true;
    }

    /// <summary>The whole answer, where it has not been shown yet.</summary>
    public void Show(string answer)
    {
        if (_isWritten)
        {
            context.Output.WriteLine();
        }
        else if (isTaken)
        {
            context.Error.WriteLine(OutsideText.Lines(answer));
        }
        else
        {
            context.Output.WriteLine(context.OutputIsTerminal ? OutsideText.Lines(answer) : answer);
        }
    }

    /// <summary>The same, where files were to be written and could not be.</summary>
    /// <returns>Where the answer is.</returns>
    public string Save(string answer)
    {
        Show(answer);
        return isTaken ? "stderr" : "stdout";
    }
}
