// Asks a model about a picture and writes a report that shows where each word of the answer came from.
//
//     dotnet run --project samples/Explain -- model.gguf mmproj.gguf photo.jpg "What is this?"
using Tamx;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;

if (args.Length != 4)
{
    Console.Error.WriteLine("usage: Explain MODEL.gguf MMPROJ.gguf PICTURE QUESTION");
    return 2;
}

using var model = await VisionLanguageModel.LoadAsync(
    new ModelOptions { ModelPath = args[0], ProjectorPath = args[1] }
);

ChatTurn[] turns = [new(TurnRole.User, [ImagePart.FromFile(args[2]), new TextPart(args[3])])];
var options = new ExplainOptions
{
    Completion = new CompletionOptions { MaxNewTokens = 64, CandidateCount = 3 },
};

var explanation = await Explainer.ExplainAsync(model, turns, options);
Console.WriteLine(explanation.Answer);

// For each token the cell of the picture that it came from most.
foreach (var token in explanation.Maps.Answer)
{
    var best = token.Token.VisionMaps[0]!.Peak;
    Console.WriteLine($"{token.Token.Text, -16} row {best.Row}, column {best.Column}");
}

await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, "report.html");
Console.WriteLine("report.html written");
return 0;
