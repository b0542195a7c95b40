using System.Text.Json;

namespace Tamx;

/// <summary>
/// An answer of SGLang with <c>return_hidden_states</c>, as JSON: <c>meta_info.hidden_states</c> is a matrix
/// [prompt, D] and then a vector [D] for each generated token, all after the output norm; <c>output_ids</c> is the
/// answer. The prompt's ids, <c>input_ids</c>, must have been put beside them: the server does not say them.
/// </summary>
/// <remarks>Source: SGLang's <c>examples/runtime/hidden_states</c>.</remarks>
internal static class SglangDump
{
    private const long MostBytes = 1_000_000_000;

    /// <summary>Whether a file begins as JSON, and not as .safetensors, whose head has a length before it.</summary>
    public static bool IsOne(string path)
    {
        Span<byte> head = stackalloc byte[9];
        try
        {
            using var file = InputFile.Open(path);
            var count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            return head[..count].TrimStart(" \r\n\t"u8) is [(byte)'{' or (byte)'[', ..]
                && !(count == head.Length && head[8] == '{' && head[4..8].IndexOfAnyExcept((byte)0) < 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever opens it as a trace says so.
            return false;
        }
    }

    /// <summary>What it takes: the text, as much again for its structure, and the states twice.</summary>
    public static TraceSize Measure(string path) => new(File.Exists(path) ? 3 * new FileInfo(path).Length : 0, 0);

    /// <summary>Reads it.</summary>
    public static Trace Read(string path, string? modelPath, DumpOptions options)
    {
        var bytes = new FileInfo(path).Length;
        if (bytes > MostBytes)
        {
            throw new TraceFormatException(path, $"has {bytes:N0} bytes of JSON; at most {MostBytes:N0} are read");
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var answer =
                json.RootElement.ValueKind != JsonValueKind.Array ? json.RootElement
                : json.RootElement.GetArrayLength() == 1 ? json.RootElement[0]
                : throw new TraceFormatException(
                    path,
                    $"holds {json.RootElement.GetArrayLength()} answers; a file of one is needed"
                );
            int[] ids = [.. Ids("input_ids"), .. Ids("output_ids")];
            var (rows, states) = ReadStates(path, answer);
            var size = states.Length / Math.Max(rows, 1);
            return ServerDump.ToTrace(path, ids, size, rows, _ => (states, []), modelPath, options);

            IEnumerable<int> Ids(string name) =>
                answer.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
                    ? list.EnumerateArray().Select(id => ToId(path, name, id))
                    : throw new TraceFormatException(
                        path,
                        $"has no \"{name}\", a list of token ids{(name == "input_ids" ? "; the server does not say the prompt's: put them beside its answer" : "")}"
                    );
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TraceFormatException(
                path,
                $"is not the JSON that SGLang answers: {OutsideText.Part(e.Message)}",
                e
            );
        }
    }

    private static int ToId(string path, string name, JsonElement id) =>
        id.GetInt32() is >= 0 and var value
            ? value
            : throw new TraceFormatException(path, $"\"{name}\" holds {id.GetRawText()}; ids are from 0");

    private static (int Rows, float[] States) ReadStates(string path, JsonElement answer)
    {
        if (
            !answer.TryGetProperty("meta_info", out var meta)
            || !meta.TryGetProperty("hidden_states", out var list)
            || list.ValueKind != JsonValueKind.Array
        )
        {
            throw new TraceFormatException(
                path,
                "has no \"meta_info\" with \"hidden_states\"; ask for them with return_hidden_states"
            );
        }

        var rows = 0;
        var size = 0;
        List<float> states = [];
        foreach (var step in list.EnumerateArray())
        {
            // The prompt's is a matrix, that of a generated token a vector, or a matrix of one row.
            var isMatrix = step.GetArrayLength() > 0 && step[0].ValueKind == JsonValueKind.Array;
            foreach (var row in isMatrix ? step.EnumerateArray() : (IEnumerable<JsonElement>)[step])
            {
                var length = row.GetArrayLength();
                size = size == 0 ? length : size;
                if (length == 0 || length != size)
                {
                    throw new TraceFormatException(
                        path,
                        $"row {rows} of \"hidden_states\" has {length} values, the first has {size}"
                    );
                }

                states.AddRange(row.EnumerateArray().Select(value => value.GetSingle()));
                rows++;
            }
        }

        return (rows, [.. states]);
    }
}
