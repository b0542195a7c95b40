namespace Tamx;

/// <summary>What is wrong with options that lie within options, each with its path.</summary>
internal sealed class OptionFaults
{
    private readonly List<string> _faults = [];

    /// <summary>Notes what a check refuses.</summary>
    /// <param name="path">Where the options lie: <c>Model</c>; empty for the outermost.</param>
    /// <param name="validate">Their check.</param>
    public void Check(string path, Action validate)
    {
        try
        {
            validate();
        }
        catch (InvalidInputException e)
        {
            // A message that names the property gets the path before it, any other as a whole.
            var isNamed = path.Length == 0;
            var message = e.Describe(setting =>
            {
                isNamed = true;
                return path.Length == 0 ? null : $"{path}.{setting.Property}";
            });
            _faults.Add(isNamed ? message : $"{path}: {message}");
        }
        catch (ArgumentException e)
        {
            _faults.Add($"{path}.{e.Message}");
        }
    }

    /// <summary>All that was refused, in one line; null for nothing.</summary>
    public string? Text => _faults.Count > 0 ? string.Join("; ", _faults) : null;
}
