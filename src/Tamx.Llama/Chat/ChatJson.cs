using System.Text.Json;

namespace Tamx.Llama.Chat;

/// <summary>Reads conversations from JSON, and opens the pictures and videos that they name.</summary>
/// <remarks>
/// A list of messages, or an object whose <c>messages</c> is one; <see cref="ConversationReader"/> says how they may be
/// written. A picture or video is a data URL (<c>data:image/png;base64,...</c>), base64 or, where the caller allows it,
/// a local path or <c>file://</c> URL. Nothing is ever fetched from a network.
/// </remarks>
public static class ChatJson
{
    private const long MaxFileBytes = 500_000_000;

    /// <summary>Reads a conversation from a file. Relative paths in it are relative to the file's folder.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the reading of videos.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read or is no conversation; the error says where.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IReadOnlyList<ChatTurn> Open(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new InvalidInputException($"{path}: is a folder; name a file of JSON");
        }

        byte[] json;
        try
        {
            using var file = InputFile.Open(path);
            json = Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var what = e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message;
            throw new InvalidInputException($"{path}: {what}", e);
        }

        return Parse(json, path, Path.GetDirectoryName(Path.GetFullPath(path)), cancellationToken);
    }

    /// <summary>Reads a conversation from a stream to its end.</summary>
    /// <param name="stream">UTF-8 JSON. The stream need not know its length.</param>
    /// <param name="name">What error messages call the source.</param>
    /// <param name="localFolder">As for <see cref="Parse"/>.</param>
    /// <param name="cancellationToken">Ends the reading of videos.</param>
    /// <exception cref="InvalidInputException">It is no conversation, or too long; the error says where.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IReadOnlyList<ChatTurn> Open(
        Stream stream,
        string name,
        string? localFolder,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Parse(Read(stream, name), name, localFolder, cancellationToken);
    }

    /// <summary>Reads a conversation.</summary>
    /// <param name="json">UTF-8 JSON.</param>
    /// <param name="name">What error messages call the source.</param>
    /// <param name="localFolder">
    /// The folder that relative paths of pictures and videos are relative to; null to refuse local files, as for
    /// anything that came over a network.
    /// </param>
    /// <param name="cancellationToken">Ends the reading of videos.</param>
    /// <exception cref="InvalidInputException">It is no conversation; the error says where.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IReadOnlyList<ChatTurn> Parse(
        ReadOnlyMemory<byte> json,
        string name,
        string? localFolder,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = 16 };
            using var document = JsonDocument.Parse(JsonText.Check(json, name), options);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("messages", out var inner))
            {
                root = inner;
            }

            var media = new MediaOpener(localFolder, cancellationToken);
            return [.. new ConversationReader(name).Read(root).Select(media.Open)];
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{name}: is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})",
                e
            );
        }
    }

    private static byte[] Read(Stream stream, string name) =>
        stream.ReadAtMost(MaxFileBytes)
        ?? throw new InvalidInputException(
            FormattableString.Invariant(
                $"{name}: is more than {MaxFileBytes:N0} bytes long, the most that are accepted"
            )
        );
}
