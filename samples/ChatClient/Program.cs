// Asks a model through Microsoft.Extensions.AI's IChatClient, shows for each token where in the picture it came from
// while the model writes, and writes the report.
//
//     dotnet run --project samples/ChatClient -- model.gguf mmproj.gguf photo.jpg "What is this?"
using Microsoft.Extensions.AI;
using Tamx;
using Tamx.Llama;
using Tamx.Report;

if (args.Length != 4)
{
    Console.Error.WriteLine("usage: ChatClient MODEL.gguf MMPROJ.gguf PICTURE QUESTION");
    return 2;
}

using var model = await VisionLanguageModel.LoadAsync(
    new ModelOptions { ModelPath = args[0], ProjectorPath = args[1] }
);
using var client = model.AsChatClient();

var picture = await DataContent.LoadFromAsync(args[2]);
ChatMessage[] messages = [new(ChatRole.User, [picture, new TextContent(args[3])])];
var updates = new List<ChatResponseUpdate>();
await foreach (var update in client.GetStreamingResponseAsync(messages, new ChatOptions { MaxOutputTokens = 64 }))
{
    updates.Add(update);
    if (update.GetToken() is { } token)
    {
        var best = token.Explained.Token.VisionMaps[0]!.Peak;
        Console.WriteLine($"{update.Text, -16} row {best.Row}, column {best.Column}");
    }
}

var response = updates.ToChatResponse();
Console.WriteLine($"{response.Text} ({response.Usage?.OutputTokenCount} tokens, {response.FinishReason})");

var explanation = response.GetExplanation()!;
await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, "report.html");
Console.WriteLine("report.html written");
return 0;
