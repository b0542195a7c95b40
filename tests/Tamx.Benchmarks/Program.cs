using System.Globalization;
using BenchmarkDotNet.Running;
using Tamx.Benchmarks;

switch (args)
{
    case ["--quick"]:
        await QuickTable.WriteAsync(Console.Out);
        break;
    case ["--engines"]:
        Engines.Write(Console.Out);
        break;
    case ["--growth"]:
        Growth.Write(Console.Out);
        break;
    case ["--growth", var columns, var answerLength]:
        Growth.WriteOne(
            Console.Out,
            int.Parse(columns, CultureInfo.InvariantCulture),
            int.Parse(answerLength, CultureInfo.InvariantCulture)
        );
        break;
    case ["--overhead"]:
        await ExplainOverhead.WriteAsync(Console.Out, 15, withMemory: true);
        break;
    case ["--overhead", "--quick"]:
        await ExplainOverhead.WriteAsync(Console.Out, 5, withMemory: false);
        break;
    case ["--overhead", var way, var modelPath, var projectorPath]:
        await ExplainOverhead.WriteOneAsync(Console.Out, way, modelPath, projectorPath);
        break;
    case ["--batch"]:
        await BatchCost.WriteAsync(Console.Out, 3);
        break;
    case ["--batch", var folder]:
        await BatchCost.WriteOneAsync(Console.Out, folder);
        break;
    case ["--prompt-cache"]:
        await PromptCacheGain.WriteAsync(Console.Out, 5);
        break;
    case ["--speed"]:
        ModelSpeed.Write(Console.Out);
        break;
    case ["--speed", "burn"]:
        ModelSpeed.Burn();
        break;
    case ["--speed", var modelPath, var projectorPath]:
        await ModelSpeed.WriteOneAsync(Console.Out, modelPath, projectorPath);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(QuickTable).Assembly).Run(args);
        break;
}
