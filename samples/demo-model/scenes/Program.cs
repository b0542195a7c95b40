using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Tamx.Evaluation.Scenes;

// stream --seed S --start A --count N [--min M --max M]           scenes to stdout, for the trainer
// png FOLDER --seed S --start A --count N [--min M --max M]       pictures to look at, and their questions on stdout
// Numbers are little-endian. A stream starts with the picture's size (int32). Each scene is the length of its JSON
// (int32), the JSON, the pixels and the labels.
try
{
    var arguments = SceneArguments.Parse(args);
    if (arguments.Folder is null)
    {
        WriteStream(arguments);
    }
    else
    {
        WritePictures(arguments, arguments.Folder);
    }

    return 0;
}
catch (Exception error) when (error is ArgumentException or FormatException or OverflowException)
{
    Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine(
        "usage: stream | png FOLDER, then --seed S --start A --count N --min OBJECTS --max OBJECTS"
    );
    return 2;
}

static void WriteStream(SceneArguments arguments)
{
    using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 20);
    WriteInt32(output, arguments.Options.Size);
    foreach (var scene in arguments.Scenes())
    {
        var facts = JsonSerializer.SerializeToUtf8Bytes(Facts(scene), JsonSerializerOptions.Web);
        WriteInt32(output, facts.Length);
        output.Write(facts);
        output.Write(scene.Rgb);
        output.Write(scene.Labels);
    }
}

// The trainer reads kinds as numbers.
static object Facts(Scene scene) =>
    new
    {
        scene.Objects,
        Questions = scene.Questions.Select(question => new
        {
            question.Kind,
            question.Prompt,
            question.Answer,
            Words = question.Words.Select(word => new
            {
                word.Text,
                word.Start,
                Kind = (int)word.Kind,
                word.ObjectIds,
            }),
        }),
    };

static void WriteInt32(Stream output, int value)
{
    Span<byte> bytes = stackalloc byte[sizeof(int)];
    BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
    output.Write(bytes);
}

static void WritePictures(SceneArguments arguments, string folder)
{
    Directory.CreateDirectory(folder);
    var index = arguments.Start;
    foreach (var scene in arguments.Scenes())
    {
        File.WriteAllBytes(Path.Combine(folder, $"scene-{arguments.Seed}-{index}.png"), scene.ToPng());
        foreach (var question in scene.Questions)
        {
            Console.WriteLine($"{index}: {question.Prompt} {question.Answer}");
        }

        index++;
    }
}

[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "Only Program.cs uses it.")]
internal sealed record SceneArguments(string? Folder, int Seed, long Start, long Count, SceneOptions Options)
{
    public static SceneArguments Parse(string[] args)
    {
        var (folder, flags) = args switch
        {
            ["stream", ..] => ((string?)null, 1),
            ["png", var path, ..] => (path, 2),
            _ => throw new ArgumentException("The first argument must be stream or png FOLDER."),
        };
        var result = new SceneArguments(folder, 1, 0, 1, new SceneOptions());
        for (var i = flags; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
            var number = long.TryParse(value, out var parsed)
                ? parsed
                : throw new ArgumentException($"{args[i]} must be a whole number, not {value}.");
            var options = result.Options;
            result = args[i] switch
            {
                "--seed" => result with { Seed = checked((int)number) },
                "--start" => result with { Start = number },
                "--count" => result with { Count = number },
                "--min" => result with { Options = options with { MinObjects = checked((int)number) } },
                "--max" => result with { Options = options with { MaxObjects = checked((int)number) } },
                _ => throw new ArgumentException($"Unknown flag {args[i]}."),
            };
        }

        return result;
    }

    public IEnumerable<Scene> Scenes()
    {
        for (var i = 0L; i < Count; i++)
        {
            yield return Scene.Generate(Seed, Start + i, Options);
        }
    }
}
