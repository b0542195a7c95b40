using Microsoft.Extensions.AI;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx;

/// <summary>Reads the messages of a chat request as turns.</summary>
/// <param name="options">Which files may be opened, and which frames of a video are taken.</param>
/// <param name="cancellationToken">Ends the reading of videos.</param>
internal sealed class ChatMessageReader(TamxChatClientOptions options, CancellationToken cancellationToken)
{
    /// <summary>The conversation.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="instructions">What is said to the model before them; the beginning of the system's turn.</param>
    /// <exception cref="InvalidInputException">A message holds what the model cannot be shown.</exception>
    public IReadOnlyList<ChatTurn> Read(IReadOnlyList<ChatMessage> messages, string? instructions)
    {
        List<ChatTurn> turns = [.. messages.Select(Read)];
        if (string.IsNullOrEmpty(instructions))
        {
            return turns;
        }

        // Templates may allow one turn of the system alone.
        if (turns is [{ Role: TurnRole.System } system, ..])
        {
            turns[0] = system with { Parts = [new TextPart(instructions + "\n\n"), .. system.Parts] };
        }
        else
        {
            turns.Insert(0, new ChatTurn(TurnRole.System, instructions));
        }

        return turns;
    }

    private ChatTurn Read(ChatMessage message, int index)
    {
        var place = $"message {index + 1}";
        var role = RoleOf(message.Role, place);
        var parts = new List<ChatPart>();
        string? thought = null;
        foreach (var content in message.Contents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (content)
            {
                case TextReasoningContent reasoning when role == TurnRole.Assistant:
                    thought += reasoning.Text;
                    break;
                case TextContent text:
                    parts.Add(new TextPart(text.Text));
                    break;
                case DataContent data:
                    parts.Add(Open(data, place));
                    break;
                case UriContent uri:
                    parts.Add(Open(uri, place));
                    break;
                case UsageContent:
                    break;
                default:
                    throw new InvalidInputException(
                        $"{place} has a {content.GetType().Name}; the model reads text, pictures and videos"
                            + (content is TextReasoningContent ? ", and thoughts of the assistant" : "")
                    );
            }
        }

        return new ChatTurn(role, parts) { Thought = thought };
    }

    private static TurnRole RoleOf(ChatRole role, string place)
    {
        if (role == ChatRole.User)
        {
            return TurnRole.User;
        }

        if (role == ChatRole.Assistant)
        {
            return TurnRole.Assistant;
        }

        // OpenAI's newer name for the same.
        return role == ChatRole.System || role == new ChatRole("developer")
            ? TurnRole.System
            : throw new InvalidInputException(
                $"{place} has the role \"{role}\"; it must be system, developer, user or assistant"
            );
    }

    private ChatPart Open(DataContent data, string place)
    {
        var name = data.Name is { Length: > 0 } given ? given : $"{place}'s {data.MediaType}";
        if (data.HasTopLevelMediaType("video"))
        {
            return VideoPart.FromBytes(data.Data, name, options.Sampling, cancellationToken);
        }

        if (!data.HasTopLevelMediaType("image"))
        {
            throw WrongType(place, data.MediaType);
        }

        RgbImage.CheckLimits(data.Data, name, ImageLimits.Default);
        return new ImagePart(data.Data, name);
    }

    private ChatPart Open(UriContent content, string place)
    {
        var uri = content.Uri;
        if (uri.IsAbsoluteUri && uri.Scheme == "data")
        {
            return Open(DataOf(uri, content.MediaType, place), place);
        }

        if (!uri.IsAbsoluteUri || !uri.IsFile || uri.IsUnc)
        {
            throw new InvalidInputException(
                $"{place} names an address; nothing is fetched from a network: give the data itself (DataContent)"
            );
        }

        var path = options.Files.Resolve(uri.LocalPath);
        return content.HasTopLevelMediaType("video") ? VideoPart.FromFile(path, options.Sampling, cancellationToken)
            : content.HasTopLevelMediaType("image") ? ImagePart.FromFile(path)
            : throw WrongType(place, content.MediaType);
    }

    private static DataContent DataOf(Uri uri, string mediaType, string place)
    {
        try
        {
            return new DataContent(uri, mediaType);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new InvalidInputException($"{place} has a data URI that is none", e);
        }
    }

    private static InvalidInputException WrongType(string place, string mediaType) =>
        new($"{place} has data of type {mediaType}; the model reads pictures (image/...) and videos (video/...)");
}
