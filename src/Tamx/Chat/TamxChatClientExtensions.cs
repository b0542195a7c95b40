using Microsoft.Extensions.AI;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>A model as Microsoft.Extensions.AI's <see cref="IChatClient"/>, and the maps of its answers.</summary>
public static class TamxChatClientExtensions
{
    /// <summary>The key of the <see cref="Explanation"/> among an answer's additional properties.</summary>
    public const string ExplanationKey = "tamx.explanation";

    /// <summary>The model as a chat client. Its answers come with their maps: <see cref="GetExplanation(ChatResponse)"/>.</summary>
    /// <remarks>
    /// <para>
    /// Safe to use from several threads; answers are written one after another. The model stays the caller's, and so
    /// does an engine that was passed: dispose of the client first. Disposing of it ends the answers that are being
    /// written.
    /// </para>
    /// <para>
    /// Pictures and videos are <see cref="DataContent"/>; a <see cref="UriContent"/> is opened if it is a data URI, or
    /// a file in <see cref="TamxChatClientOptions.Files"/>. A conversation that ends with the assistant's message is
    /// not continued: that message is the answer to explain. What a model thinks is
    /// <see cref="TextReasoningContent"/>.
    /// </para>
    /// <para>
    /// Of <see cref="ChatOptions"/>, tools, JSON formats, conversation ids and continuation tokens are refused.
    /// <see cref="ChatOptions.ModelId"/> is passed over, since there is one model; so is what Microsoft.Extensions.AI
    /// says may be. <see cref="ChatOptions.RawRepresentationFactory"/> may give <see cref="ExplainOptions"/>: they
    /// replace <see cref="TamxChatClientOptions.Explain"/> for the request.
    /// </para>
    /// <para>
    /// Errors are those of <see cref="Explainer.ExplainAsync"/>. <c>GetService</c> gives the model, the
    /// <see cref="ChatClientMetadata"/>, and the <see cref="Explanation"/> of the answer that was finished last, which
    /// is kept until the next.
    /// </para>
    /// </remarks>
    /// <param name="model">The model.</param>
    /// <param name="options">How it answers.</param>
    /// <param name="engine">
    /// The engine that computes the maps, which nobody else may use while an answer is written. Null makes the best one
    /// at the first answer.
    /// </param>
    public static IChatClient AsChatClient(
        this VisionLanguageModel model,
        TamxChatClientOptions? options = null,
        ITamEngine? engine = null
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TamxChatClient(model, options ?? new TamxChatClientOptions(), engine);
    }

    /// <summary>An answer's trace and maps; null if it was not explained, or comes from a cache.</summary>
    /// <param name="response">An answer, also one put together of its updates.</param>
    public static Explanation? GetExplanation(this ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return response
            .Messages.Select(message => message.AdditionalProperties)
            .Prepend(response.AdditionalProperties)
            .Select(Find)
            .FirstOrDefault(found => found is not null);
    }

    /// <summary>The whole answer's trace and maps, which its last update has; null for the others.</summary>
    /// <param name="update">A part of an answer.</param>
    public static Explanation? GetExplanation(this ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return Find(update.AdditionalProperties);
    }

    /// <summary>The token that an update tells of, with its maps; null if the answer is not explained.</summary>
    /// <remarks>A token that adds no text, such as a part of a character, is an update without contents.</remarks>
    /// <param name="update">A part of an answer.</param>
    public static StreamedToken? GetToken(this ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return update.RawRepresentation as StreamedToken;
    }

    private static Explanation? Find(AdditionalPropertiesDictionary? properties) =>
        properties?.GetValueOrDefault(ExplanationKey) as Explanation;
}
