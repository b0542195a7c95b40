using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit.MicrosoftTestingPlatform;

namespace Tamx.Fuzz;

/// <summary>
/// The tests' program, and the fuzzers by hand: <c>dotnet run --project tests/Tamx.Fuzz -- fuzz KIND [COUNT] [SEED]
/// [FIRST]</c>.
/// </summary>
internal static partial class Program
{
    /// <summary>RLIMIT_CORE, the same number on Linux and macOS.</summary>
    private const int CoreSize = 4;

    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["damaged-pairs", .. var rest]:
                LeaveNothingBehind();
                return DamagedPairRun.Run(rest);
            case ["fuzz", var kind, .. var rest] when FuzzTarget.Find(kind) is { } target:
                LeaveNothingBehind();
                return FuzzRun.Run(target, NumberAt(0, target.UsualCount), NumberAt(1, 1), NumberAt(2, 0));

                int NumberAt(int index, int otherwise) =>
                    index < rest.Length ? int.Parse(rest[index], CultureInfo.InvariantCulture) : otherwise;
            case ["fuzz", ..]:
                Console.Error.WriteLine(
                    $"fuzz KIND [COUNT] [SEED] [FIRST]; kinds: {string.Join(", ", FuzzTarget.Names)}"
                );
                return 2;
            default:
                return await TestPlatformTestFramework.RunAsync(
                    arguments,
                    SelfRegisteredExtensions.AddSelfRegisteredExtensions
                );
        }
    }

    /// <summary>
    /// How to start it as a child. Whatever happens there, no debugger starts and no core or dump file is written.
    /// </summary>
    public static ProcessStartInfo Start(params string[] arguments)
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        var start = new ProcessStartInfo(dotnet, [typeof(Program).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
        };
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return start;
    }

    /// <summary>Forbids core files to this process.</summary>
    private static void LeaveNothingBehind()
    {
        if (!OperatingSystem.IsWindows())
        {
            var none = default(Limit);
            _ = SetLimit(CoreSize, in none);
        }
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private struct Limit
    {
        public nuint Current;
        public nuint Most;
    }
}
