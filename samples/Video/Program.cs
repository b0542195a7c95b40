// Asks a model about a video and says for each word of the answer when, and where in the picture, it came from.
//
//     dotnet run --project samples/Video                                                   # the demo model, a moving
// shape
//     dotnet run --project samples/Video -- model.gguf mmproj.gguf clip.mp4 "What happens?"  # a video file, an
// animated GIF or WebP, or a folder of frames
using Tamx;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;

if (args.Length is not (0 or 4))
{
    Console.Error.WriteLine("usage: Video [MODEL.gguf MMPROJ.gguf VIDEO QUESTION]");
    return 2;
}

var demo = Path.Combine(AppContext.BaseDirectory, "demo");
var inputs =
    args.Length > 0
        ? args
        :
        [
            Path.Combine(demo, "tamx-demo-grounded-f16.gguf"),
            Path.Combine(demo, "mmproj-tamx-demo-grounded-f16.gguf"),
            Path.Combine(demo, "moving.gif"),
            "Describe this video.",
        ];

using var model = await VisionLanguageModel.LoadAsync(
    new ModelOptions { ModelPath = inputs[0], ProjectorPath = inputs[1] }
);

// Two frames a second, as Qwen's own code takes them; a new VideoSampling says otherwise.
var video = VideoPart.FromFile(inputs[2]);
ChatTurn[] turns = [new(TurnRole.User, [video, new TextPart(inputs[3])])];
var options = new ExplainOptions
{
    Completion = new CompletionOptions { MaxNewTokens = 64, CandidateCount = 3 },
};

var explanation = await Explainer.ExplainAsync(model, turns, options);
Console.WriteLine($"{video.Seconds.Count} frames, two to a picture: {explanation.Answer}");

// For each token the picture that it came from most, and the cell in it. A picture is one temporal patch: Qwen3-VL has
// a block for each, Qwen2.5-VL one block for all.
foreach (var token in explanation.Maps.Answer)
{
    var (picture, peak) = explanation
        .Trace.Pictures.Select(picture =>
            (picture, token.Token.VisionMaps[picture.BlockIndex]!.Frame(picture.FrameIndex).Peak)
        )
        .MaxBy(found => found.Peak.Value);
    Console.WriteLine(
        FormattableString.Invariant(
            $"{token.Token.Text, -16} at {picture.Seconds:0.0} s, row {peak.Row}, column {peak.Column}"
        )
    );
}

await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, "report.html");
Console.WriteLine("report.html written");
return 0;
