using System.Globalization;
using Parquet;
using Parquet.Schema;
using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>
/// A Parquet file with columns <c>image</c> (bytes, or <c>image.bytes</c> as data sets of Hugging Face have it),
/// <c>prompt</c>, <c>answer</c> and <c>id</c>; all but the first may be left out.
/// </summary>
internal sealed class ParquetInput : BatchInput
{
    public ParquetInput(string path, string prompt)
        : base(path, prompt)
    {
        Bytes = new FileInfo(path).Length;
        Count = ReadGroups(reader =>
        {
            _ = PictureColumn(reader.Schema);
            return reader.RowGroups.Sum(group => group.RowCount);
        });
        if (Count == 0)
        {
            throw new InvalidInputException($"{path}: no rows");
        }
    }

    public override long Count { get; }

    public override long Bytes { get; }

    public override IEnumerable<BatchRow> Rows()
    {
        var groups = ReadGroups(reader => reader.RowGroupCount);
        long number = 0;
        for (var i = 0; i < groups; i++)
        {
            var group = i;
            var texts = ReadGroups(reader => ReadTextsAsync(reader, group).GetAwaiter().GetResult());

            // Of rows that others work on, the pictures are not read.
            var pictures = new Lazy<byte[]?[]>(() =>
                ReadGroups(reader => ReadPicturesAsync(reader, group).GetAwaiter().GetResult())
            );
            for (var row = 0; row < texts.Count; row++, number++)
            {
                var (place, question, answer) = (row, texts.Prompts?[row], texts.Answers?[row]);
                var name = NameOf(number);
                yield return new BatchRow(
                    number,
                    texts.Ids?[row] is { Length: > 0 } id ? id : NumberId(number),
                    _ =>
                        pictures.Value[place] is { } picture
                            ? Ask(new ImagePart(picture, name), question, answer)
                            : throw new InvalidInputException($"{name}: no image")
                );
            }
        }
    }

    private static async Task<byte[]?[]> ReadPicturesAsync(ParquetReader reader, int index)
    {
        using var group = reader.OpenRowGroupReader(index);
        var pictures = new byte[]?[checked((int)group.RowCount)];
        await group.ReadAsync(PictureColumn(reader.Schema), pictures!, null, default);
        return pictures;
    }

    private static async Task<Texts> ReadTextsAsync(ParquetReader reader, int index)
    {
        using var group = reader.OpenRowGroupReader(index);
        var count = checked((int)group.RowCount);
        return new Texts(count, await ReadAsync("prompt"), await ReadAsync("answer"), await ReadAsync("id"));

        async Task<string?[]?> ReadAsync(string name)
        {
            var field = reader.Schema.DataFields.FirstOrDefault(field =>
                field.Path.ToString() == name && !field.IsArray
            );
            if (field?.ClrType == typeof(long))
            {
                var numbers = new long?[count];
                await group.ReadAsync<long>(field, numbers, null, default);
                return Array.ConvertAll(numbers, number => number?.ToString(CultureInfo.InvariantCulture));
            }

            if (field?.ClrType != typeof(string) && field?.ClrType != typeof(ReadOnlyMemory<char>))
            {
                return null;
            }

            var texts = new string?[count];
            await group.ReadAsync(field, texts!, null, default);
            return texts;
        }
    }

    private static DataField PictureColumn(ParquetSchema schema) =>
        schema.DataFields.FirstOrDefault(field =>
            (field.ClrType == typeof(byte[]) || field.ClrType == typeof(ReadOnlyMemory<byte>))
            && field.Path.ToString() is "image" or "image/bytes"
        ) ?? throw new InvalidInputException("no column \"image\" of bytes, and no \"image.bytes\"");

    private T ReadGroups<T>(Func<ParquetReader, T> read)
    {
        try
        {
            return ReadAsync().GetAwaiter().GetResult();
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{Location}: {e.Message}", e);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or UnauthorizedAccessException))
        {
            // A damaged file makes the reader throw whatever it happens on.
            throw new InvalidInputException($"{Location}: is no Parquet, or damaged: {OutsideText.Part(e.Message)}", e);
        }

        async Task<T> ReadAsync()
        {
            await using var reader = await ParquetReader.CreateAsync(Location);
            return read(reader);
        }
    }

    /// <summary>The texts of a row group; null for a column that is not there.</summary>
    private sealed record Texts(int Count, string?[]? Prompts, string?[]? Answers, string?[]? Ids);
}
