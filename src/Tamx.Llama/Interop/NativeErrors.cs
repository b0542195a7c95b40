namespace Tamx.Llama.Interop;

/// <summary>What native code logged as errors on a thread while it was asked for something.</summary>
internal sealed class NativeErrors : IDisposable
{
    private const int MaxLines = 16;

    private readonly NativeErrors? _outer;
    private readonly List<string> _lines = [];

    internal NativeErrors(NativeErrors? outer) => _outer = outer;

    /// <summary>Memory could not be had.</summary>
    public bool IsOutOfMemory => _lines.Exists(line => line.Contains("failed to allocate", StringComparison.Ordinal));

    /// <summary>
    /// The reason in one line, empty if none was logged: how much memory was asked for, else the first error, which the
    /// later ones only pass on.
    /// </summary>
    public string Reason =>
        _lines.Find(IsFailedAllocation) ?? (_lines.Count > 0 ? _lines[0] : string.Empty);

    /// <summary>": " and the reason, or nothing.</summary>
    public string Because => Reason.Length > 0 ? $": {Reason}" : string.Empty;

    public void Dispose() => NativeLog.StopListening(_outer);

    internal void Add(string line)
    {
        if (_lines.Count < MaxLines)
        {
            _lines.Add(line.ReplaceLineEndings(" "));
        }
    }

    private static bool IsFailedAllocation(string line) =>
        line.Contains("failed to allocate", StringComparison.Ordinal)
            && line.Contains("of size", StringComparison.Ordinal);
}
