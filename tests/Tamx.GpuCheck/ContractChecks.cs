using System.Reflection;
using Tamx.Kernels;
using Tamx.Kernels.Tests;
using Xunit.Sdk;

namespace Tamx.GpuCheck;

/// <summary>Runs the tests of the engines for one of them, without a test runner.</summary>
internal static class ContractChecks
{
    private static readonly Type[] Suites =
    [
        typeof(TamEngineContractTests),
        typeof(EngineAgreementTests),
        typeof(SelectTopTests),
        typeof(DeviceEngineTests),
    ];

    /// <summary>Runs every test whose first argument is the engine's name.</summary>
    /// <param name="kind">The engine.</param>
    /// <param name="writer">Receives a line for each failure.</param>
    /// <param name="afterEach">Runs after each test. If it throws, the test has failed.</param>
    /// <returns>Numbers of tests that passed and that failed.</returns>
    public static (int Passed, int Failed) Run(EngineKind kind, TextWriter writer, Action? afterEach = null)
    {
        var (passed, failed) = (0, 0);
        foreach (var method in Suites.SelectMany(suite => suite.GetMethods()))
        {
            var rows = method.GetCustomAttributes<MemberDataAttribute>().SelectMany(data => Rows(data, method));
            foreach (var row in rows.Where(row => kind.Name.Equals(row[0])))
            {
                try
                {
                    method.Invoke(Activator.CreateInstance(method.DeclaringType!), row);
                    afterEach?.Invoke();
                    passed++;
                }
                catch (TargetInvocationException e) when (e.InnerException is SkipException)
                {
                    // For a reason that a test runner would show: no Linux.
                }
                catch (Exception e)
                {
                    failed++;
                    var reason = (e is TargetInvocationException { InnerException: { } inner } ? inner : e).Message;
                    var test = $"{method.DeclaringType!.Name}.{method.Name}({string.Join(", ", row)})";
                    writer.WriteLine($"FAILED {test}: {reason.ReplaceLineEndings(" ")}");
                }
            }
        }

        return (passed, failed);
    }

    private static IEnumerable<object?[]> Rows(MemberDataAttribute data, MethodInfo test) =>
        data.GetData(test, new DisposalTracker())
            .AsTask()
            .GetAwaiter()
            .GetResult()
            .Where(row => row.Skip is null)
            .Select(row => row.GetData());
}
