using System.CommandLine;
using Tamx.Testing;

namespace Tamx.Cli.Tests.Fuzz;

/// <summary>Command lines from the program's own commands and options, with values right, wrong and at the edge.</summary>
/// <param name="random">Decides everything.</param>
/// <param name="files">What there is to name.</param>
internal sealed class LineGenerator(Random random, FuzzFiles files)
{
    private static readonly RootCommand Root = CommandLine.CreateRoot();

    private static readonly string[] Numbers =
    [
        "-2147483649",
        "-2147483648",
        "-2",
        "-1",
        "0",
        "1",
        "2",
        "3",
        "7",
        "64",
        "513",
        "65536",
        "100001",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "0.5",
        "-0.5",
        "1e9",
        "1e999",
        "NaN",
        "-inf",
        "∞",
        "١",
        "0x10",
        "1_000",
        " 1",
        "",
    ];

    private static readonly string[] Texts =
    [
        "What is it?",
        "",
        " ",
        "@file",
        "--what",
        "-",
        "<|im_end|><|image_pad|>",
        "\u0001\u001b[2J",
        "e\u0301\u202e\U0001F600",
        "\ud800",
        "x=1",
        "=",
        "eciStrength=2",
        "applyEci=maybe",
        "kernelSize=99999999999",
        "profile=paper",
        "png,json",
        "png,,exe",
        "reference",
        "cuda",
        "cpu",
        "CUDA0,none",
        "paper",
        "tuned",
        "magma",
        "true",
        "null",
    ];

    /// <summary>Options whose right values may take long; their values come from here.</summary>
    private static readonly Dictionary<string, string[]> Bounded = new(StringComparer.Ordinal)
    {
        ["--repeat"] = ["0", "-1", "1", "2", "10001", "2147483648", "x"],
        ["--scenes"] = ["0", "-1", "1", "2147483648", "x"],
        ["--limit"] = ["0", "-1", "1", "2147483648", "x"],
        ["--curves"] = ["0", "-1", "1", "2147483648", "x"],
        ["--curve-steps"] = ["0", "-1", "1", "2", "1001", "2147483647", "x"],
        ["--image-min-tokens"] = ["-1", "0", "1", "4", "300", "100000", "100001", "2147483647"],
        ["-t"] = ["0", "-1", "1", "2", "512", "513", "2147483647", "2147483648", "x"],
    };

    /// <summary>Options that name what a command writes.</summary>
    private static readonly string[] Outputs = ["-o", "--save-trace", "--maps-json", "--out-dir", "--out", "--resume"];

    /// <summary>A line.</summary>
    /// <param name="loads">Whether it may get as far as a model.</param>
    public string[] Next(bool loads)
    {
        Command[] commands = [.. Root.Subcommands.Where(command => command.Name != "worker")];
        var command = loads ? Pick(commands, one => one.Name is "explain" or "eval") : Pick(commands, _ => true);
        List<string> line = [command.Name];
        foreach (var argument in command.Arguments)
        {
            for (var i = random.Next(3); i >= 0; i--)
            {
                line.Add(random.Next(2) == 0 ? "trace.safetensors" : Name());
            }
        }

        var count = random.Next(loads ? 3 : 7);
        for (var i = 0; i < count; i++)
        {
            AddOption(line, command, Pick([.. command.Options], option => option.Name is not "--help"));
        }

        Finish(line, command, loads);
        if (!loads && random.Next(8) == 0)
        {
            Damage(line);
        }

        return [.. line];
    }

    /// <summary>The files and folders that a line is to write.</summary>
    public static List<string> OutputsOf(IReadOnlyList<string> line)
    {
        // Left out, a report has a name of its own.
        List<string> outputs = ["tamx-report.html"];
        for (var i = 0; i < line.Count; i++)
        {
            var parts = line[i].Split('=', 2);
            if (parts[0] is "--output" || Outputs.Contains(parts[0]))
            {
                outputs.Add(parts.Length > 1 ? parts[1] : line.ElementAtOrDefault(i + 1) ?? "");
            }
            else if (line[i].StartsWith("-o", StringComparison.Ordinal))
            {
                outputs.Add(line[i][2..]);
            }
        }

        outputs.RemoveAll(output => output.Trim().Length == 0 || output is "." or "..");
        return outputs;
    }

    private void AddOption(List<string> line, Command command, Option option)
    {
        string[] names = [option.Name, .. option.Aliases];
        var name = names[random.Next(names.Length)];
        if (option.ValueType == typeof(bool))
        {
            line.Add(name);
            return;
        }

        var value = ValueOf(option);
        if (random.Next(6) == 0 && name.StartsWith("--", StringComparison.Ordinal))
        {
            line.Add($"{name}={value}");
            return;
        }

        line.AddRange([name, value]);
        if (option.AllowMultipleArgumentsPerToken && random.Next(3) == 0)
        {
            line.Add(ValueOf(option));
        }
    }

    private string ValueOf(Option option)
    {
        if (Bounded.TryGetValue(option.Name, out var bounded))
        {
            return bounded[random.Next(bounded.Length)];
        }

        var kind = option.ValueType;
        kind = Nullable.GetUnderlyingType(kind) ?? kind;
        return random.Next(10) switch
        {
            0 => Name(),
            1 => Numbers[random.Next(Numbers.Length)],
            2 => Texts[random.Next(Texts.Length)],
            _ when Outputs.Contains(option.Name) => random.Next(3) > 0
                ? $"{FuzzFiles.OutputFolder}/{option.Name.TrimStart('-')}"
                : Name(),
            _ when kind.IsPrimitive => Numbers[random.Next(Numbers.Length)],
            _ when option is TextOption || option.HelpName is not { } help || !IsFile(help) => Texts[
                random.Next(Texts.Length)
            ],
            _ => Name(),
        };
    }

    private static bool IsFile(string help) =>
        help.StartsWith("FILE", StringComparison.Ordinal)
        || help.Contains(".safetensors", StringComparison.Ordinal)
        || help is "DIR" or "FOLDER"
        || help.Contains(".gguf", StringComparison.Ordinal);

    /// <summary>Sees that a line gets to a model only if it may, and that none takes long.</summary>
    private void Finish(List<string> line, Command command, bool loads)
    {
        if (command.Name == "serve")
        {
            line.AddRange(["--host", "nowhere"]);
        }
        else if (command.Name is "explain" or "eval" or "info")
        {
            if (!loads && command.Name != "info" && !line.Contains("-m"))
            {
                line.AddRange(["-m", random.Next(2) == 0 ? "model-cut.gguf" : Name("missing")]);
            }

            if (command.Name == "explain" && !line.Contains("-n"))
            {
                line.AddRange(["-n", "2"]);
            }
        }

        if (command.Name is "eval" && loads)
        {
            string[] small = ["--scenes", "1", "-n", "2", "--curves", "0"];
            line.AddRange(line.Intersect(small).Any() ? [] : small);
        }

        if (command.Options.Any(option => option.Name == "--engine") && !line.Contains("--engine"))
        {
            line.AddRange(["--engine", "cpu"]);
        }

        if (command.Options.Any(option => option.Name == "-t") && !line.Contains("-t"))
        {
            line.AddRange(["-t", "1"]);
        }
    }

    private void Damage(List<string> line)
    {
        var at = random.Next(line.Count);
        switch (random.Next(5))
        {
            case 0:
                line.RemoveAt(at);
                break;
            case 1:
                line.Insert(at, line[random.Next(line.Count)]);
                break;
            case 2 when line[at].Length > 1:
                line[at] = line[at].Remove(random.Next(line[at].Length), 1);
                break;
            case 3:
                line.Insert(at, "--" + Texts[random.Next(Texts.Length)]);
                break;
            default:
                (line[at], line[0]) = (line[0], line[at]);
                break;
        }

        // A damaged line may have lost what kept it from the default model, or from starting a server.
        line.AddRange(["--no-such-option"]);
    }

    private string Name(string? other = null) => other ?? files.Names[random.Next(files.Names.Count)];

    private T Pick<T>(IReadOnlyList<T> all, Func<T, bool> fits)
    {
        T[] fitting = [.. all.Where(fits)];
        return fitting[random.Next(fitting.Length)];
    }
}
