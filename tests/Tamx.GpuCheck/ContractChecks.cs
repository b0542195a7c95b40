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
        typeof(TamEngineContractTests), typeof(EngineAgreementTests), typeof(SelectTopTests), typeof(DeviceEngineTests),
    ];

    /// <summary>Runs every test that takes the engine's name first.</summary>
    /// <param name="kind">The engine.</param>
    /// <param name="writer">Told of each failure.</param>
    /// <param name="afterEach">Looked at after each test; what it throws counts as the test's failure.</param>
    /// <returns>How many passed and failed.</returns>
    public static (int Passed, int Failed) Run(EngineKind kind, TextWriter writer, Action? afterEach = null)
    {
        var (passed, failed) = (0, 0);
        foreach (var method in Suites.SelectMany(suite => suite.GetMethods()))
        {
            // What is skipped here is skipped for a reason that a test runner would show: no Linux, no device.
            if (method.GetCustomAttribute<TheoryAttribute>() is not { Skip: null })
            {
                continue;
            }

            var rows = method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method));
            foreach (var row in rows.Where(row => kind.Name.Equals(row[0])))
            {
                try
                {
                    method.Invoke(Activator.CreateInstance(method.DeclaringType!), row);
                    afterEach?.Invoke();
                    passed++;
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
}
