using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Tamx.Fuzz;

public class ModelFuzzTests(ITestOutputHelper log) : FuzzTests("model", log);

public class ProjectorFuzzTests(ITestOutputHelper log) : FuzzTests("mmproj", log);

public class PairFuzzTests(ITestOutputHelper log) : FuzzTests("pair", log);

public class TraceFuzzTests(ITestOutputHelper log) : FuzzTests("trace", log);

public class DumpFuzzTests(ITestOutputHelper log) : FuzzTests("dump", log);

public class CheckpointFuzzTests(ITestOutputHelper log) : FuzzTests("checkpoint", log);

public class PictureFuzzTests(ITestOutputHelper log) : FuzzTests("picture", log);

public class HttpFuzzTests(ITestOutputHelper log) : FuzzTests("http", log);

/// <summary>Each kind is run by a test, and SECURITY.md's table says what came of it.</summary>
public partial class FuzzKindTests
{
    [Fact]
    public void Kinds_OfTheTableAndTheTests_AreAll()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "SECURITY.md"));
        var rows = page[page.IndexOf("| kind |", StringComparison.Ordinal)..];
        var listed = Row().Matches(rows).Select(row => row.Groups[1].Value);
        Assert.Equal(FuzzTarget.Names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Equal(
            FuzzTarget.Names.Count(),
            typeof(FuzzTests).Assembly.GetTypes().Count(type => type.IsSubclassOf(typeof(FuzzTests)))
        );
    }

    [GeneratedRegex(@"^\| (\w+) \| [\d,]+ \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

/// <summary>Whatever a file holds, it is taken or refused by a documented error, in bounded time and memory.</summary>
/// <remarks>
/// The inputs run in a process of their own, since native code may end it. TAMX_FUZZ_COUNT says how many are made, and
/// TAMX_FUZZ_SEED which.
/// </remarks>
public abstract class FuzzTests(string kind, ITestOutputHelper log)
{
    /// <summary>
    /// What the process may have at its peak, with the runtime and the libraries. The managed heap is held to less.
    /// </summary>
    private const long MostBytes = 500_000_000;

    private const string HeapLimit = "0x12000000";

    [Fact]
    public async Task Take_DamagedInputs_AreTakenOrRefused()
    {
        using var target = FuzzTarget.Find(kind)!;
        var count = FromEnvironment("TAMX_FUZZ_COUNT", target.UsualCount);
        var seed = FromEnvironment("TAMX_FUZZ_SEED", 1);
        var (code, output, error) = await Run($"{count}", $"{seed}", "0");
        if (code is not (0 or 1))
        {
            // Once more, with each input's name: the last one ended the process.
            (_, var traced, _) = await Run([$"{count}", $"{seed}", "0"], isTraced: true);
            Assert.Fail($"{kind}: ended with {code} at '{traced.TrimEnd().Split('\n')[^1]}': {error}\n{output}");
        }

        Assert.True(code == 0, output);
        var done = output.TrimEnd().Split('\n')[^1].Split(' ');
        log.WriteLine(output);
        Assert.Equal("done", done[0]);
        Assert.Equal(count, int.Parse(done[1], CultureInfo.InvariantCulture));

        // All refused, or all taken, would be no test.
        Assert.InRange(int.Parse(done[2], CultureInfo.InvariantCulture), 1, count - 1);
        Assert.InRange(long.Parse(done[3], CultureInfo.InvariantCulture), 1, MostBytes);
    }

    private Task<(int Code, string Output, string Error)> Run(params string[] arguments) => Run(arguments, false);

    private async Task<(int Code, string Output, string Error)> Run(string[] arguments, bool isTraced)
    {
        var start = Program.Start(["fuzz", kind, .. arguments]);
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapLimit;
        start.Environment["DOTNET_TieredPGO"] = "0";
        if (isTraced)
        {
            start.Environment["TAMX_FUZZ_TRACE"] = "1";
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await error);
    }

    private static int FromEnvironment(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;
}
