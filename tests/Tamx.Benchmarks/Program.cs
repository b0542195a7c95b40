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
    default:
        BenchmarkSwitcher.FromAssembly(typeof(QuickTable).Assembly).Run(args);
        break;
}
