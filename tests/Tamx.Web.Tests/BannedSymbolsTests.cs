using System.Reflection;
using System.Runtime.CompilerServices;
using Tamx.Llama.Chat;
using Tamx.Report;

namespace Tamx.Web.Tests;

public sealed class BannedSymbolsTests
{
    /// <summary>Files and processes are compile errors in this room, except here.</summary>
    [Fact]
    public void Ban_OfFilesAndProcesses_IsLiftedWhereTheyAreOwned() =>
        Assert.Equal(
            [
                "Api/ConnectionLimit.cs",
                "Runs/PrivateFolder.cs",
                "Runs/RunFiles.cs",
                "Runs/UserFolder.cs",
                "Runs/WorkerProcess.cs",
                "Worker/ExplainJob.cs",
                "Worker/RequestMedia.cs",
                "Worker/WorkerSession.cs",
            ],
            Directory
                .GetFiles(Room(), "*.cs", SearchOption.AllDirectories)
                .Where(path => File.ReadAllText(path).Contains("RS0030", StringComparison.Ordinal))
                .Select(path => Path.GetRelativePath(Room(), path).Replace('\\', '/'))
                .Order(StringComparer.Ordinal)
        );

    /// <summary>
    /// The analyzer passes over what it does not find: a type of ours that moved would be free again.
    /// </summary>
    [Fact]
    public void Ban_OfOurTypes_NamesTypesThatThereAre()
    {
        Assembly[] assemblies = [typeof(Trace).Assembly, typeof(ChatTurn).Assembly, typeof(HtmlReport).Assembly];
        var names = File.ReadLines(Path.Combine(Room(), "BannedSymbols.txt"))
            .Select(line => line.Split(';')[0])
            .Where(line => line.StartsWith("T:Tamx.", StringComparison.Ordinal))
            .Select(line => line["T:".Length..])
            .ToList();
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains(assemblies, assembly => assembly.GetType(name) is not null));
    }

    private static string Room([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "src", "Tamx.Web"));
}
