using System.Globalization;
using System.Text.RegularExpressions;

namespace Tamx.Kernels.Tests.Ptx;

/// <summary>A kernel read from PTX. It reads what ILGPU writes, and refuses the rest of the language.</summary>
internal sealed partial class PtxKernel
{
    private readonly Dictionary<string, int> _registers = [];

    /// <summary>Reads the one kernel of a text.</summary>
    public PtxKernel(string text)
    {
        text = Comment().Replace(text, string.Empty);
        var head = Head().Match(text);
        Assert.True(head.Success, "no kernel");
        Assert.DoesNotContain(".func", text, StringComparison.Ordinal);
        foreach (Match one in Parameter().Matches(head.Groups[1].Value))
        {
            var size =
                one.Groups["bytes"].Success ? Number(one.Groups["bytes"].Value)
                : one.Groups["type"].Value.EndsWith("64", StringComparison.Ordinal) ? 8
                : 4;
            ParameterBytes = (ParameterBytes + Math.Min(size, 8) - 1) / Math.Min(size, 8) * Math.Min(size, 8);
            Parameters.Add(one.Groups["name"].Value, (ParameterBytes, size));
            ParameterBytes += size;
        }

        foreach (Match one in Memory().Matches(text))
        {
            if (one.Groups[1].Value == "local")
            {
                LocalBytes += Number(one.Groups[3].Value);
            }
            else
            {
                Shared.Add(one.Groups[2].Value, SharedBytes);
                SharedBytes += (Number(one.Groups[3].Value) + 15) / 16 * 16;
            }
        }

        var body = text[(head.Index + head.Length)..];
        body = body[(body.IndexOf('{', StringComparison.Ordinal) + 1)..body.LastIndexOf('}')];
        body = Declaration().Replace(body, string.Empty);
        var labels = new Dictionary<string, int>();
        var lines = new List<string>();
        const StringSplitOptions Trimmed = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (var line in body.Split(['\n', ';'], Trimmed))
        {
            if (line.EndsWith(':'))
            {
                labels.Add(line[..^1], lines.Count);
            }
            else
            {
                lines.Add(line);
            }
        }

        Code = [.. lines.Select(line => Read(line, labels))];
        RegisterNames = [.. _registers.OrderBy(one => one.Value).Select(one => one.Key)];
    }

    /// <summary>Offsets and sizes of parameters.</summary>
    public Dictionary<string, (int Offset, int Size)> Parameters { get; } = [];

    public int ParameterBytes { get; }

    /// <summary>Offsets of arrays in shared memory.</summary>
    public Dictionary<string, int> Shared { get; } = [];

    public int SharedBytes { get; }

    /// <summary>Bytes of a thread's own memory, for values that did not fit its registers.</summary>
    public int LocalBytes { get; }

    /// <summary>Registers, special registers and constants, by the operands' indices.</summary>
    public IReadOnlyList<string> RegisterNames { get; }

    public PtxInstruction[] Code { get; }

    /// <summary>The value of an operand that is not a register.</summary>
    public ulong Constant(string name) =>
        name switch
        {
            _ when Shared.TryGetValue(name, out var offset) => PtxMachine.SharedStart + (ulong)offset,
            ['0', 'f' or 'F' or 'x', ..] => ulong.Parse(
                name.AsSpan(2),
                NumberStyles.HexNumber,
                CultureInfo.InvariantCulture
            ),
            _ => (ulong)long.Parse(name, CultureInfo.InvariantCulture),
        };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private PtxInstruction Read(string line, Dictionary<string, int> labels)
    {
        var match = Instruction().Match(line);
        Assert.True(match.Success, $"cannot read '{line}'");
        var operation = match.Groups["op"].Value;
        string[] operands = [.. Operand().Matches(match.Groups["rest"].Value).Select(one => one.Value.Trim())];
        var read = new PtxInstruction
        {
            Text = line,
            Guard = match.Groups["guard"].Success ? Register(match.Groups["guard"].Value) : -1,
            GuardValue = match.Groups["not"].Success ? 0ul : 1ul,
        };
        var parts = operation.Split('.');
        switch (parts[0])
        {
            case "bra":
                return read with { Kind = PtxKind.Branch, Target = labels[operands[0]] };
            case "ret":
                return read with { Kind = PtxKind.Return };
            case "bar":
                return read with { Kind = PtxKind.Barrier };
            case "ld" or "st":
                var loads = parts[0] == "ld";
                var address = operands[loads ? 1 : 0].Trim('[', ']').Split('+');
                var names = operands[loads ? 0 : 1].Trim('{', '}').Split(',', StringSplitOptions.TrimEntries);
                var values = Array.ConvertAll(names, Register);
                var offset = address.Length > 1 ? Number(address[1]) : 0;
                var size = parts[^1].EndsWith("64", StringComparison.Ordinal) ? 8 : 4;
                Assert.True(!parts.Contains("local") && parts[^1][1..] is "32" or "64", $"cannot do '{line}'");
                return parts[1] == "param"
                    ? read with
                    {
                        Kind = PtxKind.Parameter,
                        Values = values,
                        Offset = Parameters[address[0]].Offset + offset,
                        Size = size,
                    }
                    : read with
                    {
                        Kind = loads ? PtxKind.Load : PtxKind.Store,
                        Values = values,
                        A = Register(address[0]),
                        Offset = offset,
                        Size = size,
                        IsShared = parts[1] == "shared",
                    };
            default:
                int[] registers = [.. operands.Select(Register)];
                return read with
                {
                    Kind = PtxKind.Compute,
                    Values = [registers[0]],
                    A = registers[1],
                    B = registers.ElementAtOrDefault(2),
                    C = registers.ElementAtOrDefault(3),
                    Function = PtxArithmetic.Find(operation),
                };
        }
    }

    private int Register(string name)
    {
        if (!_registers.TryGetValue(name, out var index))
        {
            _registers.Add(name, index = _registers.Count);
        }

        return index;
    }

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\.visible\s+\.entry\s+\w+\s*\((.*?)\)", RegexOptions.Singleline)]
    private static partial Regex Head();

    [GeneratedRegex(@"\.param\s+(?:\.align\s+\d+\s+)?\.(?<type>\w+)\s+(?<name>\w+)(?:\[(?<bytes>\d+)\])?")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\.(shared|local)\s+\.align\s+\d+\s+\.b8\s+(\w+)\[(\d+)\]")]
    private static partial Regex Memory();

    [GeneratedRegex(@"\.(?:shared|local|reg)\s[^;]*;")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(?:@(?<not>!)?(?<guard>%\w+)\s+)?(?<op>[a-z][\w.]*)\s*(?<rest>.*)$")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")]
    private static partial Regex Operand();
}

internal enum PtxKind
{
    Compute,
    Parameter,
    Load,
    Store,
    Branch,
    Barrier,
    Return,
}

/// <summary>An instruction. Its operands are indices of registers.</summary>
internal sealed record PtxInstruction
{
    public required string Text { get; init; }

    public PtxKind Kind { get; init; }

    /// <summary>The predicate that it depends on; -1 for none.</summary>
    public int Guard { get; init; }

    /// <summary>The predicate's value with which it runs.</summary>
    public ulong GuardValue { get; init; }

    /// <summary>Registers that are written, or stored to memory.</summary>
    public int[] Values { get; init; } = [];

    public int A { get; init; }

    public int B { get; init; }

    public int C { get; init; }

    public Func<ulong, ulong, ulong, ulong> Function { get; init; } = (_, _, _) => 0;

    public int Offset { get; init; }

    public int Size { get; init; }

    public bool IsShared { get; init; }

    public int Target { get; init; }
}
