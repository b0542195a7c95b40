using System.CommandLine;
using System.Globalization;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary>The options of a report that commands share.</summary>
internal sealed class ReportArguments
{
    private readonly Option<int> _maxPixels = new("--max-image-pixels")
    {
        Description = "Scale pictures in the report down to at most N pixels; smaller ones stand in it as they came.",
        HelpName = "N",
        DefaultValueFactory = _ => (int)new HtmlReportOptions().MaxImagePixels,
    };

    private readonly Option<int> _mapBits = new("--map-bits")
    {
        Description = "Bits per map value in the report: 8 or 16.",
        HelpName = "8|16",
        DefaultValueFactory = _ => new HtmlReportOptions().MapBits,
    };

    public ReportArguments()
    {
        _maxPixels.RequireAtLeast(1);
        _mapBits.AcceptOnlyFromAmong(
            8.ToString(CultureInfo.InvariantCulture),
            16.ToString(CultureInfo.InvariantCulture)
        );
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_maxPixels);
        command.Options.Add(_mapBits);
    }

    /// <summary>The report's options from the command line.</summary>
    public HtmlReportOptions Read(ParseResult parsed) =>
        new() { MaxImagePixels = parsed.GetValue(_maxPixels), MapBits = parsed.GetValue(_mapBits) };
}
