using System.Text;
using System.Text.Json.Nodes;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>
/// Writes a model's folder as its makers publish it, from a GGUF: configuration, tokenizer, and of the tensors the
/// embeddings and the last norm.
/// </summary>
public static class CheckpointFolder
{
    private const int ControlToken = 3;

    /// <summary>Writes it.</summary>
    /// <param name="folder">The folder, which is made.</param>
    /// <param name="modelPath">The GGUF.</param>
    /// <param name="dtype">F32, F16 or BF16.</param>
    /// <param name="isSharded">Whether each tensor has a file of its own, with an index.</param>
    /// <param name="isFlat">Whether all is written as Qwen2-VL has it: no text_config, vocab.json.</param>
    public static void Write(string folder, string modelPath, string dtype, bool isSharded, bool isFlat = false)
    {
        Directory.CreateDirectory(folder);
        var gguf = GgufModel.Open(modelPath);
        var facts = Preflight.CheckModel(gguf);
        var tokens = gguf.Metadata.FindStrings("tokenizer.ggml.tokens")!;
        var types = gguf.Metadata.FindIntegers("tokenizer.ggml.token_type")!;
        var isQwen35 = facts.Architecture is ModelArchitecture.Qwen35 or ModelArchitecture.Qwen35Moe;
        JsonObject text = new()
        {
            ["hidden_size"] = facts.HiddenSize,
            ["vocab_size"] = facts.VocabularySize,
            ["rms_norm_eps"] = 1e-6,
        };
        JsonObject config = new()
        {
            ["architectures"] = new JsonArray("Some"),
            ["model_type"] = facts.Architecture switch
            {
                ModelArchitecture.Qwen3Vl => "qwen3_vl",
                ModelArchitecture.Qwen3VlMoe => "qwen3_vl_moe",
                ModelArchitecture.Qwen35 => "qwen3_5",
                ModelArchitecture.Qwen35Moe => "qwen3_5_moe",
                _ => "qwen2_5_vl",
            },
            ["tie_word_embeddings"] = facts.IsTied,
            ["image_token_id"] = Array.IndexOf(tokens, "<|image_pad|>"),
            ["video_token_id"] = Array.IndexOf(tokens, "<|video_pad|>"),
            ["vision_start_token_id"] = Array.IndexOf(tokens, "<|vision_start|>"),
            ["vision_end_token_id"] = Array.IndexOf(tokens, "<|vision_end|>"),
            ["vision_config"] = new JsonObject { ["patch_size"] = 16, ["spatial_merge_size"] = 2 },
        };
        if (isFlat)
        {
            foreach (var (name, value) in text)
            {
                config[name] = value!.DeepClone();
            }
        }
        else
        {
            config["text_config"] = text;
        }

        WriteJson(folder, "config.json", config);
        WriteJson(
            folder,
            "preprocessor_config.json",
            isFlat
                ? new JsonObject { ["min_pixels"] = 4096, ["max_pixels"] = 1 << 20 }
                : new JsonObject
                {
                    ["size"] = new JsonObject { ["shortest_edge"] = 4096, ["longest_edge"] = 1 << 20 },
                }
        );
        WriteTokens(folder, tokens, types, isFlat);

        // Qwen2.5-VL's names before Transformers 4.52, and those after it.
        var prefix = isFlat ? "model" : "model.language_model";
        var (rows, size) = (facts.VocabularySize, facts.HiddenSize);
        float[] norm = [.. new OutputNorm(facts).Weight.ToArray().Select(weight => weight - (isQwen35 ? 1 : 0))];
        List<TensorPart> parts =
        [
            TensorPart.Floats(dtype, $"{prefix}.embed_tokens.weight", All(facts.InputEmbedding), rows, size),
            TensorPart.Floats(dtype, $"{prefix}.norm.weight", norm, size),
        ];
        if (!facts.IsTied)
        {
            parts.Insert(0, TensorPart.Floats(dtype, "lm_head.weight", All(facts.OutputEmbedding), rows, size));
        }

        if (!isSharded)
        {
            TensorPart.Write(Path.Combine(folder, "model.safetensors"), [.. parts]);
            return;
        }

        JsonObject map = [];
        foreach (var (index, part) in parts.Index())
        {
            var name = $"model-{index + 1:D5}-of-{parts.Count:D5}.safetensors";
            TensorPart.Write(Path.Combine(folder, name), part);
            map[part.Name] = name;
        }

        WriteJson(
            folder,
            "model.safetensors.index.json",
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["total_size"] = 1 },
                ["weight_map"] = map,
            }
        );
    }

    /// <summary>Changes a JSON file of the folder.</summary>
    public static void Change(string folder, string name, Action<JsonObject> change)
    {
        var path = Path.Combine(folder, name);
        var json = JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
        change(json);
        WriteJson(folder, name, json);
    }

    private static void WriteTokens(string folder, string[] tokens, long[] types, bool isFlat)
    {
        var plain = tokens.Index().Where(token => types[token.Index] != ControlToken);
        var added = tokens.Index().Where(token => types[token.Index] == ControlToken);
        var vocabulary = new JsonObject(
            plain.Select(token => new KeyValuePair<string, JsonNode?>(token.Item, token.Index))
        );
        if (isFlat)
        {
            WriteJson(folder, "vocab.json", vocabulary);
            WriteJson(
                folder,
                "tokenizer_config.json",
                new JsonObject
                {
                    ["added_tokens_decoder"] = new JsonObject(
                        added.Select(token => new KeyValuePair<string, JsonNode?>(
                            $"{token.Index}",
                            new JsonObject { ["content"] = token.Item }
                        ))
                    ),
                }
            );
            return;
        }

        WriteJson(
            folder,
            "tokenizer.json",
            new JsonObject
            {
                ["version"] = "1.0",
                ["added_tokens"] = new JsonArray([
                    .. added.Select(token => new JsonObject { ["id"] = token.Index, ["content"] = token.Item }),
                ]),
                ["model"] = new JsonObject
                {
                    ["type"] = "BPE",
                    ["vocab"] = vocabulary,
                    ["merges"] = new JsonArray(new JsonArray("a", "b")),
                },
            }
        );
    }

    private static float[] All(GgufTensor tensor)
    {
        var rows = new TensorRows(tensor);
        var values = new float[rows.RowCount * rows.RowSize];
        rows.ReadSlice(0, values, CancellationToken.None);
        return values;
    }

    private static void WriteJson(string folder, string name, JsonObject json) =>
        File.WriteAllText(Path.Combine(folder, name), json.ToJsonString(), new UTF8Encoding(false));
}
