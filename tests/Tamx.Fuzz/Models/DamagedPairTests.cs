using System.Diagnostics;
using System.Globalization;

namespace Tamx.Fuzz;

/// <summary>
/// What passes pre-flight does not end the process: damaged models are loaded in processes of their own.
/// </summary>
/// <remarks>
/// TAMX_DAMAGED_PAIRS says how many pairs shall pass pre-flight, TAMX_DAMAGED_SEED which ones are made. A pair that is
/// named here is made again by <c>dotnet Tamx.Fuzz.dll damaged-pairs SEED NUMBER 1</c>.
/// </remarks>
public class DamagedPairTests(ITestOutputHelper log)
{
    /// <summary>How many pass in the normal suite.</summary>
    private const int UsualCount = 60;

    /// <summary>A child that says nothing for so long hangs, and is ended.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task LoadAsync_DamagedPairThatPassesPreflight_IsDecodedAndEndsNothing()
    {
        var wanted = FromEnvironment("TAMX_DAMAGED_PAIRS", UsualCount);
        var seed = FromEnvironment("TAMX_DAMAGED_SEED", 1);
        var counts = new Dictionary<PairOutcome, int>();
        var deaths = new List<string>();
        var failures = new List<string>();
        var passed = 0;
        for (var number = 0; passed < wanted; )
        {
            var child = await RunChild(seed, number, wanted - passed, counts, failures);
            passed += child.PassedCount;
            number = child.NextNumber;
            if (child.Death is { } death)
            {
                deaths.Add(death);
                passed++;
            }
        }

        var outcomes = string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}"));
        log.WriteLine($"seed {seed}: {outcomes}, {deaths.Count} native deaths");
        var passing = $"of {passed} pairs that passed pre-flight";
        Assert.True(deaths.Count == 0, $"{deaths.Count} {passing} ended the process:\n{string.Join('\n', deaths)}");
        Assert.True(
            failures.Count == 0,
            $"{failures.Count} {passing} were not decoded:\n{string.Join('\n', failures)}"
        );
    }

    /// <summary>What a child came to.</summary>
    /// <param name="NextNumber">The first pair it did not take.</param>
    /// <param name="PassedCount">Pairs that passed pre-flight and came back.</param>
    /// <param name="Death">The pair that ended it, and how, or null.</param>
    private sealed record ChildOutcome(int NextNumber, int PassedCount, string? Death);

    private static async Task<ChildOutcome> RunChild(
        int seed,
        int first,
        int wanted,
        Dictionary<PairOutcome, int> counts,
        List<string> failures
    )
    {
        using var process = Process.Start(Program.Start("damaged-pairs", $"{seed}", $"{first}", $"{wanted}"))!;
        var error = process.StandardError.ReadToEndAsync();
        var running = "";
        var next = first;
        var passed = 0;
        var hangs = false;
        while (true)
        {
            var line = process.StandardOutput.ReadLineAsync();
            if (await Task.WhenAny(line, Task.Delay(Patience)) != line)
            {
                hangs = true;
                process.Kill();
            }

            if (await line is not { } text)
            {
                break;
            }

            // NUMBER starts DESCRIPTION, then NUMBER OUTCOME MESSAGE.
            var parts = text.Split(' ', 3);
            if (parts[1] == "starts")
            {
                running = text;
                continue;
            }

            var outcome = Enum.Parse<PairOutcome>(parts[1]);
            counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
            passed += outcome == PairOutcome.Refused ? 0 : 1;
            next = int.Parse(parts[0], CultureInfo.InvariantCulture) + 1;
            if (outcome == PairOutcome.Failed)
            {
                failures.Add($"{running}: {parts[2]}");
            }

            running = "";
        }

        await process.WaitForExitAsync();
        if (running.Length == 0)
        {
            return process.ExitCode == 0
                ? new ChildOutcome(next, passed, null)
                : throw new InvalidOperationException(
                    $"ended with {process.ExitCode} between two pairs: {await error}"
                );
        }

        var how = hangs ? $"hung for {Patience.TotalMinutes} minutes" : $"ended with {process.ExitCode}";
        var number = int.Parse(running.Split(' ')[0], CultureInfo.InvariantCulture);
        return new ChildOutcome(number + 1, passed, $"{running}: {how}: {Shortened(await error)}");
    }

    private static string Shortened(string error)
    {
        var lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.FirstOrDefault(line => line.Contains("ASSERT", StringComparison.Ordinal))
            ?? lines.FirstOrDefault(line => line.Contains("what()", StringComparison.Ordinal))
            ?? string.Join(" | ", lines.Take(3));
    }

    private static int FromEnvironment(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;
}
