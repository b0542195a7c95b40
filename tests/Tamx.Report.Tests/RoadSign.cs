using System.Text;
using System.Text.Json;

namespace Tamx.Report.Tests;

/// <summary>
/// Real output: Qwen3-VL-2B on a photo of a road sign, as TAMX's published page holds it, turned into our types.
/// </summary>
internal static class RoadSign
{
    private const int FirstCellPosition = 4;

    public static (Trace Trace, ActivationMaps Maps) Read()
    {
        var json = File.ReadAllBytes(RealMaterial.Find("qwen3vl_2b_road_sign.json"));
        var picture = File.ReadAllBytes(RealMaterial.Find("road_sign.jpg"));
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var grid = root.GetProperty("vision_blocks")[0];
        var rows = grid.GetProperty("grid_h").GetInt32();
        var columns = grid.GetProperty("grid_w").GetInt32();
        var cellCount = rows * columns;

        var vocabulary = new Vocabulary();
        var turns = new List<Turn>();
        var idAt = new SortedDictionary<int, int>();
        var context = new List<int>();
        var answer = new List<int>();
        foreach (var turn in root.GetProperty("chat_turns").EnumerateArray())
        {
            var positions = new List<int>();
            var blocks = new List<int>();
            foreach (var token in turn.GetProperty("tokens").EnumerateArray())
            {
                if (token.GetProperty("type").GetString() == "vision-link")
                {
                    blocks.Add(0);
                    continue;
                }

                var position = token.GetProperty("orig_idx").GetInt32();
                idAt[position] = vocabulary.IdOf(token.GetProperty("text").GetString()!);
                positions.Add(position);
                (token.GetProperty("type").GetString() == "answer" ? answer : context).Add(position);
            }

            turns.Add(new Turn(turn.GetProperty("role").GetString()!, positions, blocks));
        }

        var candidateTexts = root.GetProperty("candidate_tokens");
        var candidateLogits = root.GetProperty("candidate_logits");
        var tokens = new List<AnswerToken>();
        for (var i = 0; i < answer.Count; i++)
        {
            int[] ids = [.. candidateTexts[i].EnumerateArray().Select(text => vocabulary.IdOf(text.GetString()!))];
            var logits = Floats(candidateLogits[i]);
            ExplainedToken Explained(int c, JsonElement maps, JsonElement relevance) =>
                new()
                {
                    TokenId = ids[c],
                    Logit = logits[c],
                    Probability = float.NaN,
                    VisionMaps = [new ActivationMap(new PatchGrid(1, rows, columns), Floats(maps[0]))],
                    TextRelevance = [.. Floats(relevance)],
                };

            var candidateMaps = root.GetProperty("candidate_vision_maps")[i];
            var candidateRelevance = root.GetProperty("candidate_text_rel")[i];
            tokens.Add(
                new AnswerToken
                {
                    Position = answer[i],
                    Token = Explained(0, root.GetProperty("vision_maps")[i], root.GetProperty("text_rel")[i]),
                    Candidates =
                    [
                        .. Enumerable
                            .Range(1, ids.Length - 1)
                            .Select(c => Explained(c, candidateMaps[c - 1], candidateRelevance[c - 1])),
                    ],
                    TextPositions = [.. context, .. answer.Take(i)],
                    RawRange = (0, 1),
                }
            );
        }

        var sequence = new int[answer[^1] + 1];
        Array.Fill(sequence, MarkerIds.QwenPublished.ImagePad, FirstCellPosition, cellCount);
        foreach ((var position, var id) in idAt)
        {
            sequence[position] = id;
        }

        var trace = new Trace
        {
            TokenIds = [.. sequence],
            HiddenSize = 2048,
            HiddenStates = ReadOnlyMemory<float>.Empty,
            OutputIds = [.. Enumerable.Range(0, vocabulary.Texts.Count)],
            OutputRows = ReadOnlyMemory<float>.Empty,
            OutputTexts = [.. vocabulary.Texts],
            Pictures = [new TracePicture(0, 0, "image/jpeg", picture, 773, 512, null, "road_sign.jpg")],
            Run = new RunInfo
            {
                Model = "Qwen3-VL-2B-Instruct",
                Architecture = "qwen3vl",
                Quantization = "BF16",
            },
        };
        var maps = new ActivationMaps
        {
            Layout = new SequenceLayout
            {
                Turns = turns,
                VisionBlocks =
                [
                    new VisionBlock
                    {
                        StartPosition = FirstCellPosition - 1,
                        EndPosition = FirstCellPosition + cellCount,
                        IsVideo = false,
                        TurnIndex = 0,
                        Grid = new PatchGrid(1, rows, columns),
                    },
                ],
                ContextPositions = context,
                AnswerPositions = answer,
            },
            Options = new TamOptions { KernelSize = 5 },
            EngineName = "TAMX",
            Answer = tokens,
        };
        return (trace, maps);
    }

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetSingle())];

    /// <summary>Gives every text an id; the ids are ours, since the page holds none.</summary>
    private sealed class Vocabulary
    {
        private readonly Dictionary<string, int> _ids = [];

        public List<byte[]> Texts { get; } = [];

        public int IdOf(string text)
        {
            if (!_ids.TryGetValue(text, out var id))
            {
                id = Texts.Count;
                _ids.Add(text, id);
                Texts.Add(Encoding.UTF8.GetBytes(text));
            }

            return id;
        }
    }
}
