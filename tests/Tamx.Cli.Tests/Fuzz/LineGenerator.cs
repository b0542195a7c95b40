using System.CommandLine;

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
        new string('長', 2000),
        "--" + new string('x', 5000),
    ];

    private bool _isWild;

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

    /// <summary>Right values, for lines of which little is wrong.</summary>
    private static readonly Dictionary<string, string[]> Right = new(StringComparer.Ordinal)
    {
        ["--hide"] = ["0,0,0.5,0.5"],
        ["--keep"] = ["0.25,0,1,0.75"],
        ["--look-at"] = ["0:0,0.5,1,1"],
        ["--alpha"] = ["0", "2.5"],
        ["--image"] = ["picture.jpg", "small.bmp", "-"],
        ["--video"] = ["frames"],
        ["--messages"] = ["chat.json", "-"],
        ["--mmproj"] = ["model-cut.gguf"],
        ["-p"] = ["What?", "-", "@x", "--"],
        ["--answer"] = ["A cross.", "<|im_end|>", "\U0001F600"],
        ["--profile"] = ["tamx", "paper", "tuned"],
        ["--colours"] = ["magma", "jet"],
        ["--engine"] = ["cpu", "reference"],
        ["--device"] = ["none", ""],
        ["--set"] = ["eciStrength=0.5", "applyEci=false", "explainPrompt=true"],
        ["--second-set"] = ["eciStrength=0.5"],
        ["--map-bits"] = ["8", "16"],
        ["--kernel"] = ["1", "3", "9"],
        ["--merge"] = ["0", "1", "2", "4"],
        ["--data"] = ["folder", "frames"],
        ["--against"] = ["model-cut.gguf"],
        ["--export"] = ["png,json,csv,npy", "json"],
        ["--allow-host"] = ["x.example"],
        ["--port"] = ["0"],
        ["--title"] = ["<script>", "T"],
    };

    /// <summary>A line.</summary>
    /// <param name="loads">Whether it may get as far as a model.</param>
    public string[] Next(bool loads)
    {
        Command[] commands = [.. Root.Subcommands];
        var command = loads ? Pick(commands, one => one.Name is "explain" or "eval") : Pick(commands, _ => true);
        _isWild = !loads && random.Next(3) == 0;
        List<string> line = [command.Name];
        foreach (var argument in command.Arguments)
        {
            for (var i = _isWild ? random.Next(3) : 0; i >= 0; i--)
            {
                line.Add(!_isWild || random.Next(2) == 0 ? "trace.safetensors" : Name());
            }
        }

        if (!_isWild && command.Name == "maps")
        {
            line.AddRange(["-o", $"{FuzzFiles.OutputFolder}/maps"]);
        }

        List<Option> options =
        [
            .. command.Options.Where(option =>
                option.Name is not "--help" && !(loads && option.Name is "-m" or "--mmproj")
            ),
        ];
        for (var i = random.Next(loads ? 3 : 7); i > 0; i--)
        {
            var option = options[random.Next(options.Count)];
            AddOption(line, option);
            if (!_isWild)
            {
                options.Remove(option);
                options.RemoveAll(other => other.Name is "-o" && line.Contains("-o"));
                AddPartner(line, option, options);
            }
        }

        Finish(line, command, loads);

        // Without its model's name, a calibration would be of the demo model, which other tests use.
        if (_isWild && command.Name != "calibrate" && random.Next(4) == 0)
        {
            Damage(line);
        }

        return [.. line];
    }

    /// <summary>Adds what an option makes no sense without.</summary>
    private static void AddPartner(List<string> line, Option option, List<Option> options)
    {
        string[] pair = option.Name switch
        {
            "--export" => ["--out-dir", $"{FuzzFiles.OutputFolder}/export"],
            "--out-dir" => ["--export", "json"],
            "--fps" or "--max-frames" when !line.Contains("--max-pictures") && !line.Contains("serve") =>
            [
                "--video",
                "frames",
            ],
            "--alpha" => ["--look-at", "0,0,1,1"],
            "--second-set" => ["--compare"],
            "--compare" => ["--second-set", "eciStrength=0.5"],
            _ => [],
        };
        if (pair.Length > 0 && options.RemoveAll(other => other.Name == pair[0]) > 0)
        {
            line.AddRange(pair);
        }

        // In place of one another.
        options.RemoveAll(other =>
            option.Name is "--messages" && other.Name is "--image" or "--video" or "-p"
            || option.Name is "--image" or "--video" or "-p" && other.Name is "--messages"
            || option.Name is "--hide" or "--keep" && other.Name is "--hide" or "--keep" or "--look-at" or "--alpha"
            || option.Name is "--look-at" or "--alpha" && other.Name is "--hide" or "--keep"
        );
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

        outputs.RemoveAll(output => output.Trim().Length == 0 || output is "..");
        return outputs;
    }

    private void AddOption(List<string> line, Option option)
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
        if (!_isWild && random.Next(8) > 0)
        {
            return RightValueOf(option);
        }

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

    private string RightValueOf(Option option)
    {
        if (Right.TryGetValue(option.Name, out var values))
        {
            return values[random.Next(values.Length)];
        }

        var kind = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return kind == typeof(float) || kind == typeof(double) ? "0.5"
            : kind.IsPrimitive ? $"{random.Next(1, 4)}"
            : Outputs.Contains(option.Name) ? $"{FuzzFiles.OutputFolder}/{option.Name.TrimStart('-')}"
            : option.Name is "-m" ? "model-cut.gguf"
            : Texts[0];
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
        else if (command.Name is "explain" or "eval" or "info" or "calibrate" or "capture")
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

        if (command.Name is "eval" && !line.Contains("--data"))
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
