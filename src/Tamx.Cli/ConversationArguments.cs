using System.CommandLine;
using Tamx.Llama.Chat;

namespace Tamx.Cli;

/// <summary>The options for what a model is asked: pictures, videos and a question, or a whole conversation.</summary>
internal sealed class ConversationArguments(ModelArguments model)
{
    private const string DefaultPrompt = "Describe this image.";
    private const string DefaultVideoPrompt = "Describe this video.";

    private readonly VideoArguments _videos = new();
    private readonly Option<string[]> _images = new("--image")
    {
        Description = "Pictures (JPEG, PNG, WebP, GIF, BMP), one or several; - for stdin.",
        HelpName = "FILE|-",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly TextOption _prompt = new("-p", "--prompt")
    {
        Description = $"The question; - for stdin. By default \"{DefaultPrompt}\" or \"{DefaultVideoPrompt}\"",
        HelpName = "TEXT|-",
    };

    private readonly Option<string?> _messages = new("--messages")
    {
        Description =
            "A conversation as OpenAI-style JSON, in place of --image, --video and -p; if its last message is the assistant's, that answer is explained; - for stdin.",
        HelpName = "FILE.json|-",
    };

    private readonly TextOption _answer = new("--answer")
    {
        Description = "Explain this answer; nothing is generated; - for stdin.",
        HelpName = "TEXT|-",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_images);
        command.Options.Add(_prompt);
        command.Options.Add(_messages);
        command.Options.Add(_answer);
        _videos.AddTo(command);
    }

    /// <summary>Refuses what goes against each other. To be called when the command has all its options.</summary>
    public void AddChecksTo(DocumentedCommand command) =>
        command.AddCheck(result =>
        {
            if (
                result.GetValue(_messages) is not null
                && (
                    result.GetValue(_prompt) is not null
                    || result.GetValue(_images) is { Length: > 0 }
                    || _videos.IsGiven(result)
                )
            )
            {
                result.AddError("--messages takes the place of --image, --video and -p; give one or the other.");
            }
        });

    /// <summary>Adds the conversation's files to the command's inputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed)
    {
        files
            .ReadsFileOrInput(_images.Name, parsed.GetValue(_images) ?? [])
            .ReadsFileOrInput(_messages.Name, parsed.GetValue(_messages))
            .ReadsTextOrInput(_prompt.Name, parsed.GetValue(_prompt))
            .ReadsTextOrInput(_answer.Name, parsed.GetValue(_answer));
        _videos.AddTo(files, parsed);
    }

    /// <summary>The conversation. Ctrl+C also ends the wait for a pipe that nobody writes to.</summary>
    public Task<List<ChatMessage>> ReadAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        Task.Run(() => Read(parsed, cancellationToken), cancellationToken).WaitAsync(cancellationToken);

    private List<ChatMessage> Read(ParseResult parsed, CancellationToken cancellationToken)
    {
        List<ChatMessage> messages = parsed.GetValue(_messages) switch
        {
            null => [new(ChatRole.User, ReadParts(parsed, cancellationToken))],
            StandardStream.Name => [.. StandardStream.ReadConversation(CommandContext.Of(parsed), cancellationToken)],
            var path => [.. ChatJson.Open(path, cancellationToken)],
        };
        if (ReadText(parsed, _answer) is { } answer)
        {
            messages.Add(new ChatMessage(ChatRole.Assistant, answer));
        }

        return messages;
    }

    private List<ChatPart> ReadParts(ParseResult parsed, CancellationToken cancellationToken)
    {
        var paths = parsed.GetValue(_images) ?? [];
        var prompt = ReadText(parsed, _prompt);
        var videos = _videos.Read(parsed, cancellationToken);
        if (paths.Length == 0 && videos.Count == 0 && model.IsDemo(parsed))
        {
            paths = [DemoFiles.Picture];
        }

        if (paths.Length == 0 && videos.Count == 0 && prompt is null)
        {
            throw new InvalidInputException(
                "nothing to ask about: give a picture (--image FILE), a video (--video FILE), a question (-p TEXT), or several of these"
            );
        }

        return
        [
            .. paths.Select(path =>
                path == StandardStream.Name
                    ? StandardStream.ReadPicture(CommandContext.Of(parsed))
                    : ImagePart.FromFile(path)
            ),
            .. videos,
            new TextPart(prompt ?? (videos.Count > 0 ? DefaultVideoPrompt : DefaultPrompt)),
        ];
    }

    /// <summary>The text of an option, which may stand in standard input.</summary>
    private static string? ReadText(ParseResult parsed, TextOption option) =>
        parsed.GetValue(option) is StandardStream.Name
            ? StandardStream.ReadText(CommandContext.Of(parsed))
            : parsed.GetValue(option);
}
