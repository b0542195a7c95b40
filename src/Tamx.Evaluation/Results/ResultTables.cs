using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tamx.Evaluation;

/// <summary>The results of an evaluation as tables.</summary>
internal static class ResultTables
{
    /// <summary>The summary for people.</summary>
    public static string Text(EvaluationSummary summary)
    {
        var text = new StringBuilder();
        text.Append(Invariant($"{summary.Scenes} pictures"));
        text.AppendLine(summary.CaptionsExact is { } exact ? Invariant($", {exact:P1} answered exactly right") : "");
        text.Append("words     method    layer  maps         count  Obj-IoU  (95 %)        ceiling  ");
        text.AppendLine("grid IoU  pointing  mass   area   empty  deletion  insertion");
        foreach (var row in summary.Rows)
        {
            text.Append(
                Invariant(
                    $"{Name(row.Words), -9} {Name(row.Method), -9} {(row.Layer < 0 ? "last" : $"{row.Layer}"), -6} "
                )
            );
            text.Append(Invariant($"{Name(row.Maps), -11} {row.Count, 6}  {row.ObjIou:0.000}    "));
            text.Append(Invariant($"{row.ObjIouInterval[0]:0.000}-{row.ObjIouInterval[1]:0.000}   "));
            text.Append(Invariant($"{row.Ceiling:0.000}    {row.GridIou:0.000}     {row.Pointing:0.000}     "));
            text.Append(Invariant($"{row.Mass:0.000}  {row.Area:0.000}  {row.Empty:0.000}  "));
            text.AppendLine($"{Figure(row.Deletion)}     {Figure(row.Insertion)}");
        }

        text.AppendLine("the paper's protocol     Obj-IoU  Func-IoU  F1-IoU  precision  recall");
        foreach (var (maps, figures) in summary.Paper)
        {
            text.Append(Invariant($"          {Name(maps), -15}{Figure(figures.ObjIou)}    "));
            text.Append(Invariant($"{Figure(figures.FuncIou)}     {Figure(figures.F1Iou)}   "));
            text.AppendLine(Invariant($"{Figure(figures.Precision)}      {Figure(figures.Recall)}"));
        }

        if (summary.Curves is { } curves)
        {
            text.Append(Invariant($"mean ln p of the answer's tokens over {curves.Count} pictures, "));
            text.AppendLine(Invariant($"cells in the order of maps ({Name(curves.Maps)}) and at random"));
            text.Append(Invariant($"          deletion {curves.Deletion:0.000} "));
            text.AppendLine(Invariant($"(random {curves.RandomDeletion:0.000}, lower is better)"));
            text.Append(Invariant($"          insertion {curves.Insertion:0.000} "));
            text.AppendLine(Invariant($"(random {curves.RandomInsertion:0.000}, higher is better)"));
        }

        if (summary.Sweep.Count > 0)
        {
            text.AppendLine("profile  ECI  filter  Obj-IoU  pointing  mass   Func-IoU");
            foreach (var score in summary.Sweep)
            {
                var (profile, strength, kernel) = score.Setting;
                text.Append(
                    Invariant($"{Name(profile), -8} {strength, -4} {(kernel > 0 ? $"{kernel}" : "off"), -6}  ")
                );
                text.Append(Invariant($"{Figure(score.ObjIou)}    {Figure(score.Pointing)}     "));
                text.AppendLine(Invariant($"{Figure(score.Mass)}  {Figure(score.FunctionIou)}"));
            }
        }

        foreach (var (maps, count, correlation) in summary.Agreement)
        {
            text.Append(Invariant($"correlation with the other model's {Name(maps)} maps "));
            text.AppendLine(Invariant($"{Figure(correlation)} ({count} tokens)"));
        }

        return text.ToString().TrimEnd();

        static string Figure(double? value) => value is { } number ? Invariant($"{number:0.000}") : "-    ";
    }

    /// <summary>One line per scored word and kind of maps.</summary>
    public static string WordsCsv(IEnumerable<SampleResult> results) =>
        Csv(
            ["picture", .. WordRow.Columns],
            from result in results
            from row in result.Rows
            select row.Fields.Prepend(result.Name)
        );

    /// <summary>
    /// One line per picture and kind of maps: means over the picture's nouns, and over its words in the paper's
    /// protocol.
    /// </summary>
    public static string PicturesCsv(IEnumerable<SampleResult> results) =>
        Csv(
            [
                "picture",
                "answer",
                "expected",
                "maps",
                "nouns",
                "objIou",
                "pointing",
                "mass",
                "area",
                "paperObjIou",
                "paperFuncIou",
                "paperPrecision",
                "paperRecall",
            ],
            from result in results
            from paper in result.Paper
            let first = result
                .Rows.Select(row => new MapSource(row.Method, row.Layer))
                .FirstOrDefault(MapSource.LastLayer)
            let nouns = result
                .Rows.Where(row => row.Words == WordKind.Noun && row.Maps == paper.Maps && row.IsOf(first))
                .ToArray()
            let figures = PaperProtocol.Summarize([paper.Figures])
            select new object?[]
            {
                result.Name,
                result.Answer,
                result.Expected,
                paper.Maps,
                nouns.Length,
                Mean(nouns, row => row.ObjIou),
                Mean(nouns, row => row.Pointing),
                Mean(nouns, row => row.Mass),
                Mean(nouns, row => row.Area),
                figures.ObjIou,
                figures.FuncIou,
                figures.Precision,
                figures.Recall,
            }
        );

    /// <summary>The summary's rows.</summary>
    public static string SummaryCsv(EvaluationSummary summary) =>
        Csv(SummaryRow.Columns, summary.Rows.Select(row => row.Fields));

    /// <summary>One line per setting of a sweep.</summary>
    public static string SweepCsv(EvaluationSummary summary) =>
        Csv(
            ["profile", "eciStrength", "kernel", "nouns", "objIou", "pointing", "mass", "functionIou"],
            summary.Sweep.Select(score =>
                new object?[]
                {
                    score.Setting.Profile,
                    score.Setting.EciStrength,
                    score.Setting.Kernel,
                    score.Nouns,
                    score.ObjIou,
                    score.Pointing,
                    score.Mass,
                    score.FunctionIou,
                }
            )
        );

    private static double? Mean(WordRow[] rows, Func<WordRow, double> value) =>
        rows.Length == 0 ? null : rows.Average(value);

    /// <summary>The name that JSON has for a value.</summary>
    internal static string Name(object value) => JsonSerializer.Serialize(value, ResultLog.Json).Trim('"');

    private static string Csv(IEnumerable<string> columns, IEnumerable<IEnumerable<object?>> rows)
    {
        var text = new StringBuilder(string.Join(',', columns)).Append("\r\n");
        foreach (var row in rows)
        {
            text.AppendJoin(',', row.Select(Field)).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Field(object? value)
    {
        // Numbers may begin with a minus. Only a text can be a formula.
        var field = value switch
        {
            Enum => Name(value),
            string outside => OutsideText.Cell(outside),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
        return field.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? field
            : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
