using System.Diagnostics;
using System.Globalization;
using Tamx.Testing;
using Xunit.MicrosoftTestingPlatform;

namespace Tamx.Fuzz;

/// <summary>
/// The tests' program, and the fuzzers by hand: <c>dotnet run --project tests/Tamx.Fuzz -- fuzz KIND [COUNT] [SEED]
/// [FIRST]</c>, <c>-- soak MINUTES</c>, <c>-- kills COUNT</c>.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["damaged-pairs", .. var rest]:
                ChildProcess.LeaveNothingBehind();
                return DamagedPairRun.Run(rest);
            case ["fuzz", var kind, .. var rest] when FuzzTarget.Find(kind) is { } target:
                ChildProcess.LeaveNothingBehind();
                return FuzzRun.Run(target, NumberAt(0, target.UsualCount), NumberAt(1, 1), NumberAt(2, 0));

                int NumberAt(int index, int otherwise) =>
                    index < rest.Length ? int.Parse(rest[index], CultureInfo.InvariantCulture) : otherwise;
            case ["soak", var minutes]:
                return await Soak.RunAsync(double.Parse(minutes, CultureInfo.InvariantCulture));
            case ["kills", var count]:
                return await Soak.KillAsync(int.Parse(count, CultureInfo.InvariantCulture));
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

    /// <summary>How to start it as a child.</summary>
    public static ProcessStartInfo Start(params string[] arguments) =>
        ChildProcess.Describe(typeof(Program).Assembly, arguments);
}
