using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Turns of families whose templates have no marker before each of them.</summary>
public sealed class TurnOpeningTests
{
    private static readonly ChatTurn[] Messages =
    [
        new(TurnRole.System, "Be brief."),
        new(TurnRole.User, [TestPictures.Gradient(64, 40), new TextPart("What is it? Assistant: no")]),
        new(TurnRole.Assistant, "A cup."),
        new(TurnRole.User, "And where?"),
    ];

    [Theory]
    [InlineData("gemma3", "user,assistant,user")]
    [InlineData("smolvlm", "system,user,assistant,user")]
    [InlineData("llava", "system,user,assistant,user")]
    [InlineData("pixtral", "user,assistant,user")]
    [InlineData("mistral-small", "system,user,assistant,user")]
    [InlineData("qwen3vl", "system,user,assistant,user")]
    public async Task ExplainAsync_Conversation_HasItsTurns(string name, string roles)
    {
        var model = LoadedModels.Get(name);
        var explanation = await Explainer.ExplainAsync(
            model,
            Messages,
            new ExplainOptions { Completion = new() { MaxNewTokens = 3 } }
        );
        using var folder = new TemporaryFolder();
        TraceFile.Save(explanation.Trace, folder.File("trace.safetensors"));

        foreach (var trace in (Trace[])[explanation.Trace, TraceFile.Load(folder.File("trace.safetensors"))])
        {
            var layout = ActivationMaps.Compute(trace).Layout;
            var prompt = layout.Turns.Where(turn => turn.TextPositions[0] < layout.AnswerPositions[0]).ToArray();
            Assert.Equal(roles, string.Join(',', prompt.Select(turn => turn.Role)));
            string[] texts = [.. prompt.Select(turn => TextOf(trace, turn).Trim())];
            Assert.EndsWith("And where?", texts[^1], StringComparison.Ordinal);
            Assert.Equal("A cup.", texts[^2]);
            Assert.EndsWith("What is it? Assistant: no", texts[^3], StringComparison.Ordinal);

            // Pixtral's system text stands in the last question.
            Assert.StartsWith("Be brief.", texts[name == "pixtral" ? ^1 : 0], StringComparison.Ordinal);
            Assert.Equal([0], prompt[^3].VisionBlockIndices);
        }
    }

    private static string TextOf(Trace trace, Turn turn) =>
        string.Concat(turn.TextPositions.Select(position => trace.FindText(trace.TokenIds[position])));
}
