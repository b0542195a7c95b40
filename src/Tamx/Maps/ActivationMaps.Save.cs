using System.Text.Json;

namespace Tamx;

/// <content>Writing the maps to a file.</content>
public sealed partial class ActivationMaps
{
    /// <summary>Saves maps, text relevance, logits and layout as .safetensors (docs/trace-format.md).</summary>
    /// <param name="path">The file. An existing one is replaced once the new one is complete.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Save(string path) => Content().Write(path);

    /// <summary>Writes what <see cref="Save(string)"/> saves to a stream.</summary>
    /// <param name="destination">Receives the content of the .safetensors file, and stays open.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Save(Stream destination) => Content().Write(destination);

    private SafetensorsWriter Content()
    {
        var writer = new SafetensorsWriter();
        writer.AddIntegers("ans_pos", ToInt64(Layout.AnswerPositions));
        writer.AddIntegers("ans_tokens", Answer.Select(token => (long)token.Token.TokenId).ToArray());
        writer.AddIntegers("ctx_text_pos", ToInt64(Layout.ContextPositions));
        var blocks = Layout.VisionBlocks;
        writer.AddIntegers(
            "vision_blocks",
            blocks
                .SelectMany(block =>
                    new long[] { block.StartPosition, block.EndPosition, block.IsVideo ? 1 : 0, block.TurnIndex }
                )
                .ToArray(),
            blocks.Count,
            4
        );
        writer.AddIntegers(
            "vision_block_grids",
            blocks.SelectMany(block => new long[] { block.Grid.Frames, block.Grid.Rows, block.Grid.Columns }).ToArray(),
            blocks.Count,
            3
        );
        for (var i = 0; i < Answer.Count; i++)
        {
            var (token, candidates) = (Answer[i].Token, Answer[i].Candidates);
            AddToken(writer, token, $"vision_maps.{i}", $"text_rel.{i}");
            AddPositions(writer, Answer[i], $"text_rel_pos.{i}", Layout.ContextPositions.Count + i);
            for (var c = 0; c < candidates.Count; c++)
            {
                AddToken(writer, candidates[c], $"candidate_vision_maps.{i}.{c}", $"candidate_text_rel.{i}.{c}");
            }

            writer.AddSingles(
                $"candidate_logits.{i}",
                candidates.Select(candidate => candidate.Logit).Prepend(token.Logit).ToArray()
            );
        }

        for (var j = 0; j < Prompt.Count; j++)
        {
            AddToken(writer, Prompt[j].Token, $"prompt_vision_maps.{j}", $"prompt_text_rel.{j}");
            AddPositions(writer, Prompt[j], $"prompt_text_rel_pos.{j}", Layout.ContextPositions.Count);
        }

        writer.Metadata[TraceFormat.OptionsKey] = JsonSerializer.Serialize(Options, SavedJson.Options);
        return writer;
    }

    private static void AddToken(SafetensorsWriter writer, ExplainedToken token, string mapsName, string textName)
    {
        for (var b = 0; b < token.VisionMaps.Count; b++)
        {
            if (token.VisionMaps[b] is { } map)
            {
                writer.AddSingles($"{mapsName}.{b}", map.Values);
            }
        }

        writer.AddSingles(textName, token.TextRelevance.AsMemory());
    }

    /// <summary>Adds the positions of a token's relevance, if these are not all before it.</summary>
    private static void AddPositions(SafetensorsWriter writer, AnswerToken token, string name, int all)
    {
        if (token.TextPositions.Count < all)
        {
            writer.AddIntegers(name, ToInt64(token.TextPositions));
        }
    }

    private static long[] ToInt64(IReadOnlyList<int> values) => [.. values.Select(value => (long)value)];
}
