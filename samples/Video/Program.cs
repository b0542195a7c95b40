// Asks a model about a video and says for each word of the answer when, and where in the picture, it came from.
//
//     dotnet run --project samples/Video                                                   # the demo model, a moving shape
//     dotnet run --project samples/Video -- model.gguf mmproj.gguf clip.mp4 "What happens?"  # a video file, an animated GIF or WebP, or a folder of frames
using System.Text;
using Tamx;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;

if (args.Length is not (0 or 4))
{
    Console.Error.WriteLine("usage: Video [MODEL.gguf MMPROJ.gguf VIDEO QUESTION]");
    return 2;
}

string demo = Path.Combine(AppContext.BaseDirectory, "demo");
string[] inputs = args.Length > 0 ? args :
[
    Path.Combine(demo, "tamx-demo-grounded-f16.gguf"), Path.Combine(demo, "mmproj-tamx-demo-grounded-f16.gguf"), Path.Combine(demo, "moving.gif"), "Describe this video.",
];

using var model = await VisionLanguageModel.LoadAsync(new ModelOptions { ModelPath = inputs[0], ProjectorPath = inputs[1] });

// Two frames a second, as Qwen's own code takes them; a new VideoSampling says otherwise.
VideoPart video = VideoPart.FromFile(inputs[2]);
ChatMessage[] messages = [new(ChatRole.User, [video, new TextPart(inputs[3])])];
var options = new ExplainOptions { Completion = new CompletionOptions { MaxNewTokens = 64, CandidateCount = 3 } };

Explanation explanation = await Explainer.ExplainAsync(model, messages, options);
Console.WriteLine($"{video.Seconds.Count} frames, two to a picture: {explanation.Answer}");

// For each token the picture that it came from most, and the cell in it. A picture is one temporal patch: Qwen3-VL has a block for each, Qwen2.5-VL one block for all.
foreach (AnswerToken token in explanation.Maps.Answer)
{
    (float best, string place) = (-1, "");
    foreach (TracePicture picture in explanation.Trace.Pictures)
    {
        PatchGrid grid = explanation.Maps.Layout.VisionBlocks[picture.BlockIndex].Grid;
        float[] map = token.Token.VisionMaps[picture.BlockIndex]![(picture.FrameIndex * grid.Rows * grid.Columns)..];
        int peak = Array.IndexOf(map, map.Take(grid.Rows * grid.Columns).Max());
        if (map[peak] > best)
        {
            best = map[peak];
            place = FormattableString.Invariant($"at {picture.Seconds:0.0} s, row {peak / grid.Columns}, column {peak % grid.Columns}");
        }
    }

    Console.WriteLine($"{Encoding.UTF8.GetString(model.Vocabulary.GetBytes(token.Token.TokenId)),-16} {place}");
}

await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, "report.html");
Console.WriteLine("report.html written");
return 0;
