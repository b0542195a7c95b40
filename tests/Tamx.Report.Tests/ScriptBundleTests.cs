namespace Tamx.Report.Tests;

public class ScriptBundleTests
{
    [Fact]
    public void Build_Modules_StandBeforeThoseThatImportThemOnce()
    {
        var script = Build(
            ("main.js", "import { a } from \"./a.js\";\nimport { b } from \"./b.js\";\nrun(a, b);"),
            ("a.js", "import { b } from \"./b.js\";\nexport const a = b;"),
            ("b.js", "export async function b() {}\nfunction own() {}")
        );

        string[] modules = [.. script.Split('\n').Where(line => line.StartsWith("// ", StringComparison.Ordinal))];
        Assert.Equal(["// b.js", "// a.js", "// main.js"], modules);
        Assert.Contains("return { b };", script, StringComparison.Ordinal);
        Assert.Contains("const { b } = module_b;\nconst a = b;", script, StringComparison.Ordinal);
        Assert.DoesNotContain("export", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Comments_AreLeftOutWhereTheyHaveALine()
    {
        var script = Build(
            (
                "main.js",
                "// What it is.\n\n/**\n * @type {string}\n */\nconst a = \"// b\"; // Why.\n  // More.\nrun(a);"
            )
        );

        Assert.Contains("\nconst a = \"// b\"; // Why.\nrun(a);\n", script, StringComparison.Ordinal);
        Assert.DoesNotMatch("What it is|@type|More", script);
    }

    [Theory]
    [InlineData("import \"./a.js\";")]
    [InlineData("import { a as b } from \"https://example.org/a.js\";")]
    [InlineData("export default 1;")]
    [InlineData("export { a };")]
    public void Build_OtherForms_Throw(string source)
    {
        var error = Assert.Throws<InvalidOperationException>(() => Build(("main.js", source)));

        Assert.Contains(source, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Circle_Throws()
    {
        var error = Assert.Throws<InvalidOperationException>(() =>
            Build(("main.js", "import { a } from \"./a.js\";"), ("a.js", "import { b } from \"./main.js\";"))
        );

        Assert.Contains("main.js", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Script_OfThePage_CannotEndItsElement()
    {
        Assert.DoesNotMatch("(?i)</script|<!--", PageTemplate.Script);
        Assert.DoesNotMatch("(?i)</style|<!--", PageTemplate.Style);
    }

    private static string Build(params (string Name, string Source)[] modules) =>
        ScriptBundle.Build(modules[0].Name, name => modules.Single(module => module.Name == name).Source);
}
