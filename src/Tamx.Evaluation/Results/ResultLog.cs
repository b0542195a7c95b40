using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tamx.Evaluation;

/// <summary>Keeps the results of a run as JSON lines, so that a run that was broken off can go on.</summary>
/// <remarks>
/// The first line says what was measured and how. A file of another run is refused. Each result is written when it is
/// there. Not safe for several writers.
/// </remarks>
public sealed class ResultLog : IDisposable
{
    /// <summary>
    /// How results are written: camel case, one line, letters of all scripts and the plus sign as they are. Not meant
    /// to stand inside HTML.
    /// </summary>
    internal static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string HeaderStart = "{\"tamxEval\":";

    private readonly FileStream _stream;
    private readonly Dictionary<string, SampleResult> _results = [];

    private ResultLog(FileStream stream) => _stream = stream;

    /// <summary>Finished results by the samples' names.</summary>
    internal IReadOnlyDictionary<string, SampleResult> Results => _results;

    /// <summary>Opens the file of a run, or starts it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">What is measured and how: everything that results depend on. Written as JSON.</param>
    /// <exception cref="InvalidInputException">
    /// The file belongs to a run with other settings, or is no such file.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static ResultLog Open(string path, object settings)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var header = JsonSerializer.Serialize(new { TamxEval = 1, Settings = settings }, Json);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var log = new ResultLog(stream);
            log.Read(path, header);
            return log;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Adds a result.</summary>
    /// <param name="result">The result.</param>
    internal void Append(SampleResult result)
    {
        _results.Add(result.Name, result);
        Write(JsonSerializer.Serialize(result, Json));
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private void Read(string path, string header)
    {
        var bytes = new byte[_stream.Length];
        _stream.ReadExactly(bytes);

        // A line without an end is one whose writing was broken off.
        var length = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (length == 0 && bytes.Length > 0 && !Encoding.UTF8.GetBytes(header).AsSpan().StartsWith(bytes))
        {
            throw new InvalidInputException($"{path}: this is no file of tamx eval; name another to keep results in");
        }

        var lines = Encoding.UTF8.GetString(bytes, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || (lines.Length == 1 && lines[0].StartsWith(HeaderStart, StringComparison.Ordinal)))
        {
            // A file without results is the next run's, whatever its settings.
            _stream.SetLength(0);
            Write(header);
            return;
        }

        if (lines[0] != header)
        {
            var fault = lines[0].StartsWith(HeaderStart, StringComparison.Ordinal)
                ? "these results are of a run with another model, data or options; "
                    + "name another file, or remove this one"
                : "this is no file of tamx eval; name another to keep results in";
            throw new InvalidInputException($"{path}: {fault}");
        }

        for (var i = 1; i < lines.Length; i++)
        {
            try
            {
                var result = JsonSerializer.Deserialize<SampleResult>(lines[i], Json)!;
                _results.Add(result.Name, result);
            }
            catch (Exception exception) when (exception is JsonException or ArgumentException or NullReferenceException)
            {
                throw new InvalidInputException(
                    $"{path}: line {i + 1} is no result; remove the line, or the file",
                    exception
                );
            }
        }

        _stream.SetLength(length);
    }

    private void Write(string line)
    {
        _stream.Seek(0, SeekOrigin.End);
        _stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
        _stream.Flush();
    }
}
