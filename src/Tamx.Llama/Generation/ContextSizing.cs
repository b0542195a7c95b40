using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>Chooses how many tokens a completion's context has.</summary>
internal static class ContextSizing
{
    /// <summary>The context that was asked for, or the largest that may be chosen.</summary>
    public static int Limit(CompletionOptions options, ModelFacts facts) =>
        options.ContextSize > 0 ? options.ContextSize : Largest(options, facts);

    /// <summary>The context that was asked for, or one that holds prompt and answer.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="facts">The model.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="givenCount">Tokens of a given answer; 0 if the answer is to be generated.</param>
    /// <exception cref="InvalidInputException">Prompt and given answer do not fit the context.</exception>
    public static int Choose(CompletionOptions options, ModelFacts facts, Prompt prompt, int givenCount)
    {
        const int Granularity = 256;
        var promptCount = prompt.TokenIds.Length;
        var answerCount = givenCount > 0 ? givenCount : options.MaxNewTokens;
        var found = $"the prompt has {promptCount} tokens{(givenCount > 0 ? $" and the answer {givenCount}" : "")}";

        // The last token needs no room, since nothing is computed after it. A given answer must fit as a whole.
        var atLeast = promptCount + (givenCount > 0 ? givenCount - 1 : 1);
        if (options.ContextSize > 0)
        {
            FormattableString larger = $"{promptCount + (long)Math.Max(1, answerCount)} ({Settings.ContextSize})";
            return atLeast <= options.ContextSize
                ? options.ContextSize
                : throw InvalidInputException.Naming(
                    $"{found}, the context {options.ContextSize}; use a context of at least {larger} or {Fewer(prompt)}"
                );
        }

        var largest = Largest(options, facts);
        if (atLeast > largest)
        {
            var isBounded = largest < facts.ContextLength;
            var bound = isBounded ? $"{largest} are allowed here" : $"{facts.Path} was trained for {largest}";
            throw InvalidInputException.Naming($"{found}, {bound}; use {Fewer(prompt)}");
        }

        var needed = ((long)promptCount + answerCount + Granularity - 1) / Granularity * Granularity;
        return (int)Math.Min(needed, largest);
    }

    private static int Largest(CompletionOptions options, ModelFacts facts) =>
        options.MaxContextSize > 0 ? Math.Min(options.MaxContextSize, facts.ContextLength) : facts.ContextLength;

    /// <summary>What makes the prompt shorter.</summary>
    private static FormattableString Fewer(Prompt prompt)
    {
        var patchCount = prompt.Pictures.Count(picture => picture.VideoIndex is not null);
        FormattableString frames =
            $"{Settings.MaxFrames}, {Settings.FramesPerSecond}; there are {patchCount} patches of two";
        return patchCount > 0 ? $"fewer frames ({frames}) or smaller ones ({Settings.MaxImageTokens})"
            : prompt.Pictures.Count > 0 ? $"fewer or smaller pictures ({Settings.MaxImageTokens})"
            : (FormattableString)$"a shorter text";
    }
}
