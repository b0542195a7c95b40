namespace Tamx.Llama.Interop;

/// <summary>Errors that native code logged on a thread during a call.</summary>
internal sealed class NativeErrors : IDisposable
{
    private const int MaxLines = 16;

    private readonly NativeErrors? _outer;
    private readonly List<string> _lines = [];

    internal NativeErrors(NativeErrors? outer) => _outer = outer;

    /// <summary>Whether memory ran out.</summary>
    public bool IsOutOfMemory => _lines.Exists(line => line.Contains("failed to allocate", StringComparison.Ordinal));

    /// <summary>
    /// The reason in one line, or nothing. It is the memory asked for, else the first error: later ones only pass it
    /// on.
    /// </summary>
    public string Reason => _lines.Find(IsFailedAllocation) ?? (_lines.Count > 0 ? _lines[0] : string.Empty);

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
