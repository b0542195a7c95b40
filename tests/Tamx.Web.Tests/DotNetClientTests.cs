using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace Tamx.Web.Tests;

/// <summary>OpenAI's client for .NET, and Microsoft.Extensions.AI over it, against a server.</summary>
[Collection(OneServer.Name)]
public sealed class DotNetClientTests(SharedServer shared)
{
    private const string Model = "tamx-demo-grounded";

    private static readonly ChatMessage[] Question =
    [
        new UserChatMessage(
            ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(RunningServer.Scene), "image/jpeg"),
            ChatMessageContentPart.CreateTextPart("Describe this image.")
        ),
    ];

    private OpenAIClient Client =>
        new(
            new ApiKeyCredential("any"),
            new OpenAIClientOptions { Endpoint = new Uri(shared.Running.Server.Address, "v1") }
        );

    private ChatClient Chat => Client.GetChatClient(Model);

    private IChatClient Extensions => Chat.AsIChatClient();

    [Fact]
    public async Task OpenAi_Completion_HasAnswerReasonTokensAndUsage()
    {
        var options = new ChatCompletionOptions
        {
            MaxOutputTokenCount = 6,
            StopSequences = { " cross" },
            IncludeLogProbabilities = true,
            TopLogProbabilityCount = 2,
            PresencePenalty = 0,
        };

        var answer = (await Chat.CompleteChatAsync(Question, options)).Value;

        Assert.Equal("An orange", answer.Content[0].Text);
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(2, answer.Usage.OutputTokenCount);
        Assert.Equal(Model, answer.Model);
        Assert.Equal(["An", " orange"], answer.ContentTokenLogProbabilities.Select(token => token.Token));
        Assert.All(answer.ContentTokenLogProbabilities, token => Assert.Equal(2, token.TopLogProbabilities.Count));
        Assert.Equal("An"u8, answer.ContentTokenLogProbabilities[0].Utf8Bytes!.Value.Span);

        // The conversation goes on with the message as the client keeps it.
        var next = await Chat.CompleteChatAsync(
            [.. Question, new AssistantChatMessage(answer), new UserChatMessage("And now?")],
            new ChatCompletionOptions { MaxOutputTokenCount = 2 }
        );
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Length, next.Value.FinishReason);
    }

    [Fact]
    public async Task OpenAi_Stream_GivesTheAnswerInPieces()
    {
        var (texts, usage, reason) = (new List<string>(), 0, (OpenAI.Chat.ChatFinishReason?)null);
        await foreach (
            var update in Chat.CompleteChatStreamingAsync(
                Question,
                new ChatCompletionOptions { MaxOutputTokenCount = 3 }
            )
        )
        {
            texts.AddRange(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage?.OutputTokenCount ?? usage;
            reason = update.FinishReason ?? reason;
        }

        Assert.Equal(["An", " orange", " cross"], texts.Where(text => text != ""));
        Assert.Equal(3, usage);
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Length, reason);
    }

    [Fact]
    public async Task OpenAi_LogitBias_IsUsed()
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 2, LogitBiases = { [5] = 100 } };

        var answer = (await Chat.CompleteChatAsync(Question, options)).Value;

        Assert.DoesNotContain("orange", answer.Content[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAi_Models_AreTheOneThereIs()
    {
        var models = Client.GetOpenAIModelClient();

        Assert.Equal(Model, Assert.Single((await models.GetModelsAsync()).Value).Id);
        Assert.Equal(Model, (await models.GetModelAsync(Model)).Value.Id);
        var exception = await Assert.ThrowsAsync<ClientResultException>(() => models.GetModelAsync("gpt-4o"));
        Assert.Equal(404, exception.Status);
        Assert.Contains("model_not_found", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenAi_PictureThatIsNone_IsTheClientsException(bool stream)
    {
        ChatMessage[] broken =
        [
            new UserChatMessage(
                ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(new byte[] { 1, 2, 3 }), "image/png")
            ),
        ];

        var exception = await Assert.ThrowsAsync<ClientResultException>(async () =>
        {
            if (!stream)
            {
                await Chat.CompleteChatAsync(broken);
                return;
            }

            await foreach (var _ in Chat.CompleteChatStreamingAsync(broken))
            {
                // Nothing comes.
            }
        });
        Assert.Equal(400, exception.Status);
        Assert.Contains("invalid_image", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Extensions_Response_HasAnswerReasonAndUsage()
    {
        var answer = await Extensions.GetResponseAsync(
            ExtensionsQuestion,
            new ChatOptions
            {
                MaxOutputTokens = 6,
                StopSequences = [" cross"],
                Temperature = 0,
                Seed = -3,
            }
        );

        Assert.Equal("An orange", answer.Text);
        Assert.Equal(Microsoft.Extensions.AI.ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(2, answer.Usage?.OutputTokenCount);
        Assert.Equal(Model, answer.ModelId);
    }

    [Fact]
    public async Task Extensions_Stream_IsTheResponseInPieces()
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (
            var update in Extensions.GetStreamingResponseAsync(
                ExtensionsQuestion,
                new ChatOptions { MaxOutputTokens = 3 }
            )
        )
        {
            updates.Add(update);
        }

        var answer = updates.ToChatResponse();
        Assert.Equal("An orange cross", answer.Text);
        Assert.Equal(Microsoft.Extensions.AI.ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(3, answer.Usage?.OutputTokenCount);
        Assert.True(updates.Count(update => update.Text != "") == 3, "the answer came at once");
    }

    [Fact]
    public async Task Extensions_SettingThatThereIsNot_IsTheClientsException()
    {
        var exception = await Assert.ThrowsAsync<ClientResultException>(() =>
            Extensions.GetResponseAsync(
                ExtensionsQuestion,
                new ChatOptions { ResponseFormat = Microsoft.Extensions.AI.ChatResponseFormat.Json }
            )
        );
        Assert.Equal(400, exception.Status);
        Assert.Contains("response_format", exception.Message, StringComparison.Ordinal);
    }

    private static Microsoft.Extensions.AI.ChatMessage[] ExtensionsQuestion =>
        [
            new(
                ChatRole.User,
                [new DataContent(RunningServer.Scene, "image/jpeg"), new TextContent("Describe this image.")]
            ),
        ];
}
