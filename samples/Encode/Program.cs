// Explains an answer that is given, not generated: for each of its words the cell of the picture it came from most, and
// how likely the model finds it.
//
//     dotnet run --project samples/Encode -- model.gguf mmproj.gguf photo.jpg "What is this?" "A red cup."
using Tamx;
using Tamx.Llama;
using Tamx.Llama.Chat;

if (args.Length != 5)
{
    Console.Error.WriteLine("usage: Encode MODEL.gguf MMPROJ.gguf PICTURE QUESTION ANSWER");
    return 2;
}

using var model = await VisionLanguageModel.LoadAsync(
    new ModelOptions { ModelPath = args[0], ProjectorPath = args[1] }
);

// The last message is the assistant's: nothing is generated, its text is gone through as if the model had written it.
ChatTurn[] turns =
[
    new(TurnRole.User, [ImagePart.FromFile(args[2]), new TextPart(args[3])]),
    new(TurnRole.Assistant, args[4]),
];
var explanation = await Explainer.ExplainAsync(model, turns);

foreach (var word in explanation.Maps.Words)
{
    var best = word.VisionMaps[0]!.Peak;
    var likelihood = word.Word.TokenIndices.Aggregate(
        1.0,
        (product, token) => product * explanation.Maps.Answer[token].Token.Probability
    );
    Console.WriteLine($"{word.Word.Text, -16} row {best.Row}, column {best.Column}  probability {likelihood:P1}");
}

return 0;
