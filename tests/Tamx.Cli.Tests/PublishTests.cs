using System.Reflection;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>What a published program has beside it, also for platforms that are not this one.</summary>
public sealed class PublishTests
{
    private static readonly string[] Variants = ["noavx", "avx", "avx2", "avx512"];

    [Theory]
    [InlineData("linux-x64", "tamx", "lib{0}.so", "Magick.Native-Q8-x64.dll.so")]
    [InlineData("linux-arm64", "tamx", "lib{0}.so", "Magick.Native-Q8-arm64.dll.so")]
    [InlineData("win-x64", "tamx.exe", "{0}.dll", "Magick.Native-Q8-x64.dll")]
    [InlineData("osx-arm64", "tamx", "lib{0}.dylib", "Magick.Native-Q8-arm64.dll.dylib")]
    public async Task Publish_ForAPlatform_HasItsNativeFilesAndTheDemo(
        string platform,
        string program,
        string library,
        string pictures
    )
    {
        var files = await FilesAsync(platform);

        var folder = $"runtimes/{platform}/native";
        string[] shared = ["ggml-base", "ggml", "llama", "mtmd"];
        string[] names = platform switch
        {
            // One variant for all processors.
            "linux-arm64" => [.. shared, "ggml-cpu"],
            "osx-arm64" => [.. shared, "ggml-cpu", "ggml-blas", "ggml-metal"],
            "linux-x64" => [.. shared, .. Variants.Select(variant => $"{variant}/ggml-cpu")],
            _ => [.. Variants.SelectMany(variant => shared.Append("ggml-cpu").Select(name => $"{variant}/{name}"))],
        };
        string[] expected =
        [
            .. names.Select(name =>
                $"{folder}/{name[..(name.IndexOf('/') + 1)]}{string.Format(null, library, name[(name.IndexOf('/') + 1)..])}"
            ),
        ];
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            files.Where(file => file.StartsWith("runtimes/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
        Assert.Equal([pictures], files.Where(file => file.Contains("Magick.Native", StringComparison.Ordinal)));
        Assert.Equal(
            ["demo/mmproj-tamx-demo-grounded-f16.gguf", "demo/scene.jpg", "demo/tamx-demo-grounded-f16.gguf"],
            files.Where(file => file.StartsWith("demo/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
        Assert.Contains(program, files);
        Assert.Contains("THIRD-PARTY-NOTICES.md", files);
        Assert.DoesNotContain(files, file => file.StartsWith("Tamx.Cli.exe", StringComparison.Ordinal));
    }

    /// <summary>What dotnet publish would write, from the build's own list. Nothing is compiled.</summary>
    private static async Task<string[]> FilesAsync(string platform)
    {
        var source = typeof(PublishTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "Source")
            .Value!;
        var project = System.IO.Path.Combine(source, "src", "Tamx.Cli", "Tamx.Cli.csproj");
        Assert.SkipUnless(File.Exists(project), "Needs the source beside the tests.");
        var run = await CommandRun.OfProgram(
            ChildProcess.Dotnet,
            [
                "msbuild",
                project,
                "-nodeReuse:false",
                "-t:ComputeResolvedFilesToPublishList",
                "-getItem:ResolvedFileToPublish",
                $"-p:RuntimeIdentifier={platform}",
                "-p:BuildProjectReferences=false",
                "-p:PublishReadyToRun=false",
            ],
            source
        );
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        using var items = JsonDocument.Parse(run.Output);
        return
        [
            .. items
                .RootElement.GetProperty("Items")
                .GetProperty("ResolvedFileToPublish")
                .EnumerateArray()
                .Select(item => item.GetProperty("RelativePath").GetString()!.Replace('\\', '/')),
        ];
    }
}
