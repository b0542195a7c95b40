using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Tamx.Cli.Tests;

/// <summary>C# in README.md and the pages beside it is a program as it stands.</summary>
public sealed partial class SnippetTests
{
    /// <summary>What the SDK adds to a console program (<c>ImplicitUsings</c>).</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly string Pages = System.IO.Path.Combine(AppContext.BaseDirectory, "pages");

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(System.IO.Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string, int> Snippets =>
        [
            .. Directory
                .GetFiles(Pages, "*.md")
                .Order(StringComparer.Ordinal)
                .SelectMany(page =>
                    Snippet().Matches(File.ReadAllText(page)).Select((_, i) => (System.IO.Path.GetFileName(page), i))
                ),
        ];

    [Theory]
    [MemberData(nameof(Snippets))]
    public void Snippet_OfAPage_CompilesAsItStands(string page, int index)
    {
        var text = File.ReadAllText(System.IO.Path.Combine(Pages, page));
        Assert.Equal([], Compile(Snippet().Matches(text)[index].Groups["code"].Value));
    }

    [Fact]
    public void Readme_HasASnippet() => Assert.Contains(Snippets, row => row.Data.Item1 == "README.md");

    [Fact]
    public void Compile_UnknownType_IsAnError() =>
        Assert.Contains("CS0246", Assert.Single(Compile("new Explainer();")), StringComparison.Ordinal);

    private static string[] Compile(string program)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var compilation = CSharpCompilation.Create(
            "Snippet",
            [
                CSharpSyntaxTree.ParseText(program, options, path: "Program.cs"),
                CSharpSyntaxTree.ParseText(ImplicitUsings, options),
            ],
            References,
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication,
                nullableContextOptions: NullableContextOptions.Enable
            )
        );
        return
        [
            .. compilation
                .GetDiagnostics()
                .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
                .Select(diagnostic => diagnostic.ToString()),
        ];
    }

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
