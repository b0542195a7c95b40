using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Tamx.Cli.Tests;

/// <summary>Which room may know of which, as ARCHITECTURE.md draws it, and what no room may say.</summary>
public sealed partial class HouseTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Tamx.Kernels"] = [],
        ["Tamx.Llama"] = [],
        ["Tamx"] = ["Tamx.Kernels", "Tamx.Llama"],
        ["Tamx.Report"] = ["Tamx", "Tamx.Llama"],
        ["Tamx.Evaluation"] = ["Tamx", "Tamx.Kernels", "Tamx.Llama", "Tamx.Report"],
        ["Tamx.Web"] = ["Tamx", "Tamx.Kernels", "Tamx.Llama", "Tamx.Report"],
        ["Tamx.Cli"] = ["Tamx", "Tamx.Evaluation", "Tamx.Kernels", "Tamx.Llama", "Tamx.Report", "Tamx.Web"],
    };

    public static TheoryData<string> Rooms => [.. Arrows.Keys];

    public static TheoryData<string> Libraries => [.. Arrows.Keys.Where(room => room != "Tamx.Cli")];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void References_OfEachRoom_AreTheAllowedOnes(string room)
    {
        var references = Assembly
            .Load(room)
            .GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Tamx", StringComparison.Ordinal));
        Assert.Equal(Arrows[room], references.Order());
    }

    /// <summary>A library's caller has properties, not flags: the command line alone names these.</summary>
    [Theory]
    [MemberData(nameof(Libraries))]
    public void Strings_OfALibrary_NameNoFlagOfTheCommandLine(string room)
    {
        using var file = new PEReader(File.OpenRead(Assembly.Load(room).Location));
        var reader = file.GetMetadataReader();
        var flags = new List<string>();
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = reader.GetNextHandle(handle))
        {
            var text = reader.GetUserString(handle);
            if (Flag().IsMatch(text.Replace("dotnet publish -r ", "", StringComparison.Ordinal)))
            {
                flags.Add(text);
            }
        }

        Assert.Empty(flags);
    }

    [GeneratedRegex("(^|[ (])(--[a-z]|-[a-z][),;. ]|-ngl)")]
    private static partial Regex Flag();
}
