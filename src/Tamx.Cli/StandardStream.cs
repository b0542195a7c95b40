using System.Text;
using Tamx.Llama.Chat;

namespace Tamx.Cli;

/// <summary>The name <c>-</c>: standard input where one reads, standard output where one writes.</summary>
internal static class StandardStream
{
    public const string Name = "-";

    private const string Input = "stdin";
    private const int MaxCharacters = 16_000_000;

    /// <summary>A picture from standard input.</summary>
    /// <exception cref="InvalidInputException">It is too long.</exception>
    public static ImagePart ReadPicture(CommandContext context)
    {
        using var input = context.OpenInput();
        return ImagePart.FromStream(input, Input);
    }

    /// <summary>A conversation from standard input. Its paths are relative to the current folder.</summary>
    /// <exception cref="InvalidInputException">It is no conversation; the error says where.</exception>
    public static IReadOnlyList<ChatTurn> ReadConversation(CommandContext context, CancellationToken cancellationToken)
    {
        using var input = context.OpenInput();
        return ChatJson.Open(input, Input, Environment.CurrentDirectory, cancellationToken);
    }

    /// <summary>A text from standard input, without the line end that <c>echo</c> puts behind it.</summary>
    /// <exception cref="InvalidInputException">It is empty, too long, or no text.</exception>
    public static string ReadText(CommandContext context)
    {
        var text = new StringBuilder();
        try
        {
            using var reader = new StreamReader(
                context.OpenInput(),
                new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)
            );
            var buffer = new char[1 << 14];
            while (reader.Read(buffer) is > 0 and var count)
            {
                text.Append(buffer, 0, count);
                if (text.Length > MaxCharacters)
                {
                    throw new InvalidInputException(
                        FormattableString.Invariant($"{Input} has more than {MaxCharacters:N0} characters")
                    );
                }
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidInputException($"{Input} is no UTF-8; a text is needed", e);
        }

        var line = text.ToString();
        line =
            line.EndsWith("\r\n", StringComparison.Ordinal) ? line[..^2]
            : line.EndsWith('\n') ? line[..^1]
            : line;
        return line.Length == 0 ? throw new InvalidInputException($"{Input} is empty; a text is needed")
            : line.Contains('\0', StringComparison.Ordinal)
                ? throw new InvalidInputException($"{Input} has a zero character (U+0000); a text is needed")
            : line;
    }
}
