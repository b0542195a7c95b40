using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Tamx.Cli.Batch;

/// <summary>
/// A file of one JSON object on each line. Paths in it are relative to its folder. Empty lines are no rows.
/// </summary>
internal sealed class JsonLinesInput : BatchInput
{
    /// <summary>Where each row's line begins, and how long it is.</summary>
    private readonly List<(long Start, long Length)> _lines = [];

    public JsonLinesInput(string path, string prompt)
        : base(path, prompt)
    {
        using var file = InputFile.Open(path);
        var buffer = new byte[1 << 20];
        long start = 0;
        long at = 0;
        var isEmpty = true;
        while (file.Read(buffer) is > 0 and var count)
        {
            for (var i = 0; i < count; i++)
            {
                if (buffer[i] == '\n')
                {
                    End(at + i);
                }
                else
                {
                    isEmpty &= buffer[i] is (byte)' ' or (byte)'\t' or (byte)'\r';
                }
            }

            at += count;
        }

        Bytes = at;
        End(at);
        if (_lines.Count == 0)
        {
            throw new InvalidInputException($"{path}: no rows; each line is a JSON object with id, image and prompt");
        }

        void End(long end)
        {
            if (!isEmpty)
            {
                _lines.Add((start, end - start));
            }

            (start, isEmpty) = (end + 1, true);
        }
    }

    public override long Count => _lines.Count;

    public override long Bytes { get; }

    public override IEnumerable<BatchRow> Rows()
    {
        using var file = File.OpenHandle(Location);
        var folder = Path.GetDirectoryName(Path.GetFullPath(Location))!;
        foreach (var (number, (start, length)) in _lines.Index())
        {
            var name = NameOf(number);
            if (length > MostRowBytes)
            {
                yield return new BatchRow(
                    number,
                    NumberId(number),
                    _ => throw new InvalidInputException($"{name}: {length:N0} bytes; at most {MostRowBytes:N0}")
                );
                continue;
            }

            var json = Read(file, start, (int)length);
            yield return new BatchRow(
                number,
                IdOf(json) ?? NumberId(number),
                cancellationToken => ReadJson(json, name, folder, null, cancellationToken)
            );
        }
    }

    /// <summary>The text or number of <c>id</c>; null where there is none, or no JSON.</summary>
    internal static string? IdOf(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 })
                {
                    continue;
                }

                var isId = reader.ValueTextEquals("id"u8);
                reader.Read();
                if (isId)
                {
                    return reader.TokenType switch
                    {
                        JsonTokenType.String => reader.GetString() is { Length: > 0 } text ? text : null,
                        JsonTokenType.Number => JsonElement.ParseValue(ref reader).GetRawText(),
                        _ => null,
                    };
                }

                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Whoever reads the row says so.
        }

        return null;
    }

    private byte[] Read(SafeFileHandle file, long start, int length)
    {
        var bytes = new byte[length];
        for (var done = 0; done < length; )
        {
            var count = RandomAccess.Read(file, bytes.AsSpan(done), start + done);
            done +=
                count > 0 ? count : throw new InvalidInputException($"{Location}: the file became shorter meanwhile");
        }

        return bytes;
    }
}
