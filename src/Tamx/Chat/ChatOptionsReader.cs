using Microsoft.Extensions.AI;

namespace Tamx;

/// <summary>Reads the options of a chat request. What is not supported is refused if it bears on the answer.</summary>
internal static class ChatOptionsReader
{
    // The ranges that command line and server have.
    private const float MostTemperature = 100;
    private const float MostPenalty = 100;

    /// <summary>How to generate and explain.</summary>
    /// <param name="client">The client, for <see cref="ChatOptions.RawRepresentationFactory"/>.</param>
    /// <param name="options">The request's options.</param>
    /// <param name="standard">What holds where these say nothing.</param>
    /// <exception cref="InvalidInputException">An option is not supported, or out of range.</exception>
    public static ExplainOptions Read(IChatClient client, ChatOptions? options, ExplainOptions standard)
    {
        if (options is null)
        {
            return standard;
        }

        RequireSupported(options);
        var explain = options.RawRepresentationFactory?.Invoke(client) as ExplainOptions ?? standard;
        var completion = explain.Completion;
        return explain with
        {
            Completion = completion with
            {
                MaxNewTokens =
                    AtLeast(options.MaxOutputTokens, 1, nameof(options.MaxOutputTokens)) ?? completion.MaxNewTokens,
                Temperature =
                    Within(options.Temperature, 0, MostTemperature, nameof(options.Temperature))
                    ?? completion.Temperature,
                TopP = Within(options.TopP, 0, 1, nameof(options.TopP)) ?? completion.TopP,
                TopK = AtLeast(options.TopK, 0, nameof(options.TopK)) ?? completion.TopK,
                PresencePenalty =
                    Penalty(options.PresencePenalty, nameof(options.PresencePenalty)) ?? completion.PresencePenalty,
                FrequencyPenalty =
                    Penalty(options.FrequencyPenalty, nameof(options.FrequencyPenalty)) ?? completion.FrequencyPenalty,
                // Any number is a seed; llama.cpp uses 32 bits of it.
                Seed = options.Seed is { } seed ? unchecked((uint)seed) : completion.Seed,
                StopTexts = options.StopSequences is { } stops ? [.. stops] : completion.StopTexts,
            },
        };
    }

    private static void RequireSupported(ChatOptions options)
    {
        if (options.Tools is { Count: > 0 } || options.ToolMode is RequiredChatToolMode)
        {
            var name = options.Tools is { Count: > 0 } ? nameof(options.Tools) : nameof(options.ToolMode);
            throw Unsupported(name, "the model is not asked to call tools");
        }

        if (options.ResponseFormat is ChatResponseFormatJson)
        {
            throw Unsupported(nameof(options.ResponseFormat), "the answer is text; JSON cannot be promised");
        }

        if (options.ConversationId is not null)
        {
            throw Unsupported(nameof(options.ConversationId), "no conversation is kept; pass its messages");
        }

        if (options.ContinuationToken is not null)
        {
            throw Unsupported(nameof(options.ContinuationToken), "no answer is written in the background");
        }
    }

    private static InvalidInputException Unsupported(string name, string why) =>
        new($"ChatOptions.{name} is not supported ({why}); leave it out");

    private static int? AtLeast(int? value, int least, string name) =>
        value is null || value >= least
            ? value
            : throw new InvalidInputException($"ChatOptions.{name} is {value}; it must be at least {least}");

    private static float? Penalty(float? value, string name) => Within(value, -MostPenalty, MostPenalty, name);

    private static float? Within(float? value, float least, float most, string name) =>
        value is null || (value >= least && value <= most)
            ? value
            : throw new InvalidInputException($"ChatOptions.{name} is {value}; it must be from {least} to {most}");
}
