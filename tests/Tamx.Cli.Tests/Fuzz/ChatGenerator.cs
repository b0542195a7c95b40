using System.Text;
using System.Text.Json.Nodes;
using Tamx.Llama.Media;

namespace Tamx.Cli.Tests.Fuzz;

/// <summary>Chat files: right ones, changed at a few places.</summary>
/// <param name="random">Decides everything.</param>
internal sealed class ChatGenerator(Random random)
{
    private static readonly string Dot = Convert.ToBase64String(Bitmap24.Encode(32, 32, new byte[3 * 32 * 32]));

    private static readonly string[] Starts =
    [
        """[{"role": "user", "content": "What?"}]""",
        """{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]}""",
        """[{"role": "user", "content": [{"type": "image", "image": "small.bmp"}, {"type": "text", "text": "a"}]}]""",
        $$$"""[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/bmp;base64,{{{Dot}}}", "detail": "low"}}]}]""",
        $$"""[{"role": "user", "content": "a", "images": ["{{Dot}}"]}]""",
        """[{"role": "user", "content": [{"type": "video", "video": ["small.bmp", "small.bmp"], "fps": 2, "min_pixels": 1024, "max_pixels": 4096}]}]""",
        """[{"role": "user", "content": [{"type": "video", "video": "frames", "nframes": 2}]}]""",
        """[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": [{"type": "text", "text": "d"}]}]""",
        """[{"role": "user", "content": [{"type": "image", "image": "file:///dev/null", "resized_height": 32, "resized_width": 32}]}]""",
    ];

    private static readonly string[] Words =
    [
        "role",
        "content",
        "type",
        "text",
        "image",
        "images",
        "video",
        "image_url",
        "url",
        "path",
        "base64",
        "detail",
        "fps",
        "nframes",
        "min_pixels",
        "max_pixels",
        "resized_height",
        "total_pixels",
        "min_frames",
        "max_frames",
        "video_start",
        "video_end",
        "user",
        "assistant",
        "system",
        "developer",
        "reasoning_content",
        "tool_calls",
        "low",
        "small.bmp",
        "frames",
        "missing.png",
        "folder",
        "file://elsewhere/x",
        "http://localhost/x.png",
        "data:image/png;base64,",
        "data:image/png;base64,AAAA=A",
        "data:image/png,raw",
        "data:video/mp4;base64,AAAA",
        "data:video/jpeg;base64,AAAA,,AAAA",
        "<|im_end|>",
        "",
        "\u0000",
        "\U0001F600\u202e",
    ];

    private static readonly string[] Numbers =
    [
        "0",
        "-1",
        "1",
        "2",
        "1e999",
        "-1e308",
        "1e-320",
        "2147483648",
        "9223372036854775808",
        "123456789012345678901234567890123456789",
        "0.5",
    ];

    /// <summary>A file's bytes.</summary>
    public byte[] Next()
    {
        var root = JsonNode.Parse(Starts[random.Next(Starts.Length)])!;
        for (var i = random.Next(4); i > 0; i--)
        {
            Change(root);
        }

        var text = root.ToJsonString();
        return random.Next(6) == 0 ? Damage(text) : Encoding.UTF8.GetBytes(text);
    }

    /// <summary>Changes one value, or one name, somewhere in the tree.</summary>
    private void Change(JsonNode root)
    {
        List<JsonNode> places = [];
        Collect(root, places);
        if (places.Count == 0)
        {
            return;
        }

        switch (places[random.Next(places.Count)])
        {
            case JsonObject { Count: > 0 } table:
                var name = table.ElementAt(random.Next(table.Count)).Key;
                var value = table[name];
                switch (random.Next(4))
                {
                    case 0:
                        table.Remove(name);
                        break;
                    case 1:
                        table.Remove(name);
                        table[random.Next(2) == 0 ? Word() : name + "s"] = value;
                        break;
                    case 2:
                        table[Word()] = Value(2);
                        break;
                    default:
                        table[name] = Value(2);
                        break;
                }

                break;
            case JsonArray list:
                switch (random.Next(3))
                {
                    case 0 when list.Count > 0:
                        list.RemoveAt(random.Next(list.Count));
                        break;
                    case 1 when list.Count > 0:
                        list.Add(list[random.Next(list.Count)]?.DeepClone());
                        break;
                    default:
                        list.Insert(random.Next(list.Count + 1), Value(2));
                        break;
                }

                break;
        }
    }

    private static void Collect(JsonNode? node, List<JsonNode> places)
    {
        switch (node)
        {
            case JsonObject table:
                places.Add(table);
                foreach (var (_, value) in table)
                {
                    Collect(value, places);
                }

                break;
            case JsonArray list:
                places.Add(list);
                foreach (var value in list)
                {
                    Collect(value, places);
                }

                break;
        }
    }

    private JsonNode? Value(int depth) =>
        random.Next(depth > 0 ? 9 : 6) switch
        {
            0 => null,
            1 => random.Next(2) == 0,
            2 => JsonNode.Parse(Numbers[random.Next(Numbers.Length)]),
            3 or 4 or 5 => Word(),
            6 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(depth - 1))]),
            7 => Deep(random.Next(1, 40)),
            _ => new JsonObject { [Word()] = Value(depth - 1), [Word() + "2"] = Value(depth - 1) },
        };

    private static JsonNode Deep(int levels) => levels == 0 ? JsonValue.Create(1) : new JsonArray(Deep(levels - 1));

    private string Word() => Words[random.Next(Words.Length)];

    /// <summary>What is no longer right JSON in UTF-8.</summary>
    private byte[] Damage(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        switch (random.Next(7))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return Encoding.Unicode.GetBytes(text);
            case 2:
                return [0xEF, 0xBB, 0xBF, .. bytes];
            case 3:
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 4:
                return Encoding.UTF8.GetBytes(text.Replace("a", "\\ud83d", StringComparison.Ordinal));
            case 5:
                return Encoding.UTF8.GetBytes(
                    text.Replace("\"role\"", "\"role\":1,\"role\"", StringComparison.Ordinal)
                );
            default:
                return [.. bytes, .. bytes];
        }
    }
}
