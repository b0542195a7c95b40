namespace Tamx.Llama;

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The model wrote an end token.</summary>
    EndToken,

    /// <summary><see cref="CompletionOptions.MaxNewTokens"/> were generated.</summary>
    MaxNewTokens,

    /// <summary>The context is full.</summary>
    ContextFull,

    /// <summary>All of the given answer was read.</summary>
    AnswerGiven,

    /// <summary>One of <see cref="CompletionOptions.StopTexts"/> came.</summary>
    StopText,
}
