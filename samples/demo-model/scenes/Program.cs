using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Tamx.Scenes;

// stream --seed S --start A --count N [--min M --max M]           scenes to stdout, for the trainer
// png FOLDER --seed S --start A --count N [--min M --max M]       pictures to look at, and their questions on stdout
// Numbers are little-endian. A stream starts with the picture's size (int32); each scene is the length of its JSON (int32), the JSON, the pixels and the labels.
try
{
    SceneArguments arguments = SceneArguments.Parse(args);
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
    Console.Error.WriteLine("usage: stream | png FOLDER, then --seed S --start A --count N --min OBJECTS --max OBJECTS");
    return 2;
}

static void WriteStream(SceneArguments arguments)
{
    using Stream output = new BufferedStream(Console.OpenStandardOutput(), 1 << 20);
    WriteInt32(output, arguments.Options.Size);
    foreach (Scene scene in arguments.Scenes())
    {
        byte[] facts = JsonSerializer.SerializeToUtf8Bytes(new { scene.Objects, scene.Questions }, JsonSerializerOptions.Web);
        WriteInt32(output, facts.Length);
        output.Write(facts);
        output.Write(scene.Rgb);
        output.Write(scene.Labels);
    }
}

static void WriteInt32(Stream output, int value)
{
    Span<byte> bytes = stackalloc byte[sizeof(int)];
    BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
    output.Write(bytes);
}

static void WritePictures(SceneArguments arguments, string folder)
{
    Directory.CreateDirectory(folder);
    long index = arguments.Start;
    foreach (Scene scene in arguments.Scenes())
    {
        File.WriteAllBytes(Path.Combine(folder, $"scene-{arguments.Seed}-{index}.png"), PngPicture.Encode(scene.Rgb, scene.Size));
        foreach (SceneQuestion question in scene.Questions)
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
        int flags = args is ["stream", ..] ? 1 : args is ["png", _, ..] ? 2 : throw new ArgumentException("The first argument must be stream or png FOLDER.");
        SceneArguments result = new(flags == 2 ? args[1] : null, 1, 0, 1, new SceneOptions());
        for (int i = flags; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
            long number = long.TryParse(value, out long parsed) ? parsed : throw new ArgumentException($"{args[i]} must be a whole number, not {value}.");
            result = args[i] switch
            {
                "--seed" => result with { Seed = checked((int)number) },
                "--start" => result with { Start = number },
                "--count" => result with { Count = number },
                "--min" => result with { Options = result.Options with { MinObjects = checked((int)number) } },
                "--max" => result with { Options = result.Options with { MaxObjects = checked((int)number) } },
                _ => throw new ArgumentException($"Unknown flag {args[i]}."),
            };
        }

        return result;
    }

    public IEnumerable<Scene> Scenes()
    {
        for (long i = 0; i < Count; i++)
        {
            yield return Scene.Generate(Seed, Start + i, Options);
        }
    }
}
