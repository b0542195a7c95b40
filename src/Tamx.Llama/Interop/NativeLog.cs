using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Tamx.Llama.Interop;

/// <summary>The log of llama.cpp, ggml and libmtmd. Lines go to the logger, errors also to a listener.</summary>
internal static unsafe partial class NativeLog
{
    /// <summary>Receives the lines of llama.cpp and libmtmd.</summary>
    public static ILogger Logger { get; set; } = NullLogger.Instance;

    // enum ggml_log_level. A line comes in pieces: the later ones have the level "continuation".
    private const int Information = 2;
    private const int Warning = 3;
    private const int Error = 4;
    private const int Continuation = 5;

    [ThreadStatic]
    private static StringBuilder? _line;

    [ThreadStatic]
    private static int _lineLevel;

    [ThreadStatic]
    private static NativeErrors? _listener;

    [ThreadStatic]
    private static ILogger? _threadLogger;

    private static delegate* unmanaged[Cdecl]<int, byte*, void*, void> _previous;
    private static void* _previousData;

    /// <summary>Collects the error lines of this thread until it is disposed.</summary>
    internal static NativeErrors Listen() => _listener = new NativeErrors(_listener);

    /// <summary>Sends the lines of this thread to a model's log until the result is disposed of.</summary>
    internal static Redirection To(ILoggerFactory loggers)
    {
        var redirection = new Redirection(_threadLogger);
        _threadLogger = loggers is NullLoggerFactory ? _threadLogger : loggers.CreateLogger(LogCategories.Native);
        return redirection;
    }

    /// <summary>Hooks the libraries' logs. The host program's own log callback still receives its lines.</summary>
    internal static void Attach(bool keepPrevious)
    {
        if (keepPrevious)
        {
            delegate* unmanaged[Cdecl]<int, byte*, void*, void> log;
            void* data;
            LlamaApi.GetLog(&log, &data);
            _previousData = data;
            _previous = log;
        }

        LlamaApi.SetLog(&OnLog, null);
        MtmdApi.SetLog(&OnLog, null);
    }

    internal static void StopListening(NativeErrors? outer) => _listener = outer;

    /// <summary>A line of Tamx's own about the libraries.</summary>
    internal static void Say(string text) => Write(_threadLogger ?? Logger, LogLevel.Debug, text);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(int level, byte* text, void* data)
    {
        try
        {
            if (_previous != null)
            {
                _previous(level, text, _previousData);
            }

            var line = _line ??= new StringBuilder();
            if (level != Continuation)
            {
                FlushLine(line);
                _lineLevel = level;
            }

            line.Append(NativeText.Read(text));
            if (line.Length > 0 && line[^1] == '\n')
            {
                FlushLine(line);
            }
        }
        catch
        {
            // An exception of the logger must not unwind through native frames.
        }
    }

    private static void FlushLine(StringBuilder buffer)
    {
        var line = buffer.ToString().TrimEnd();
        buffer.Clear();
        if (line.Length == 0)
        {
            return;
        }

        if (_lineLevel == Error)
        {
            _listener?.Add(line);
        }

        var level = _lineLevel switch
        {
            Error => LogLevel.Error,
            Warning => LogLevel.Warning,
            Information => LogLevel.Debug,
            _ => LogLevel.Trace,
        };
        Write(_threadLogger ?? Logger, level, line);
    }

    [LoggerMessage(EventId = 1, EventName = "NativeLine", Message = "llama.cpp: {Text}")]
    private static partial void Write(ILogger logger, LogLevel level, string text);

    /// <summary>What a thread's lines went to before.</summary>
    internal readonly struct Redirection(ILogger? before) : IDisposable
    {
        public void Dispose() => _threadLogger = before;
    }
}
