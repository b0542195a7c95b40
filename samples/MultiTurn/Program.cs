// A conversation about two pictures, the second of which comes after the first answer. The last answer is explained
// while it is written: each token comes with its maps, and is shown with the picture it came from most.
//
//     dotnet run --project samples/MultiTurn -- model.gguf mmproj.gguf first.jpg second.jpg "What is this?" "And this?"
using Tamx;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

if (args.Length != 6)
{
    Console.Error.WriteLine("usage: MultiTurn MODEL.gguf MMPROJ.gguf PICTURE1 PICTURE2 QUESTION1 QUESTION2");
    return 2;
}

using var model = await VisionLanguageModel.LoadAsync(
    new ModelOptions { ModelPath = args[0], ProjectorPath = args[1] }
);

List<ChatTurn> turns = [new(TurnRole.User, [ImagePart.FromFile(args[2]), new TextPart(args[4])])];
using var engine = TamEngines.Create(EngineKind.Auto);
var first = await Explainer.ExplainAsync(model, turns, engine: engine);
Console.WriteLine($"{args[4]} {first.Answer}");

turns.Add(new ChatTurn(TurnRole.Assistant, first.Answer));
turns.Add(new ChatTurn(TurnRole.User, [ImagePart.FromFile(args[3]), new TextPart(args[5])]));
Console.WriteLine(args[5]);

using var live = await Explainer.StartAsync(model, turns, engine: engine);
await foreach (var token in live.ReadAsync())
{
    // All maps of a token share one scale, so that they can be compared.
    float[] largest = [.. token.Explained.Token.VisionMaps.Select(map => map!.Peak.Value)];
    var picture = Array.IndexOf(largest, largest.Max());
    Console.WriteLine(
        $"{token.Generated.Text, -16} picture {picture + 1} ({string.Join(" : ", largest.Select(value => value.ToString("0.00")))})"
    );
}

var maps = live.Finish().Maps;
Console.WriteLine(
    $"{maps.Layout.Turns.Count} turns, {maps.Layout.VisionBlocks.Count} pictures, {maps.Words.Count} words explained"
);
return 0;
