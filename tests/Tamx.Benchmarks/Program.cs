using System.Globalization;
using BenchmarkDotNet.Running;
using Tamx.Benchmarks;

switch (args)
{
    case ["--quick"]:
        QuickTable.Write(Console.Out);
        break;
    case ["--growth"]:
        Growth.Write(Console.Out);
        break;
    case ["--growth", var columns, var answerLength]:
        Growth.WriteOne(Console.Out, int.Parse(columns, CultureInfo.InvariantCulture), int.Parse(answerLength, CultureInfo.InvariantCulture));
        break;
    case ["--overhead"]:
        ExplainOverhead.Write(Console.Out);
        break;
    case ["--overhead", var way, var modelPath, var projectorPath]:
        await ExplainOverhead.WriteOneAsync(Console.Out, way, modelPath, projectorPath);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(QuickTable).Assembly).Run(args);
        break;
}
