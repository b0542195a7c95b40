using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Tests.Interop;

/// <summary>The package with llama.cpp's libraries, for platforms that are not this one too.</summary>
public sealed class PackageTests
{
    private static readonly string Package = typeof(PackageTests)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "LlamaPackage")
        .Value!;

    public static TheoryData<string> Platforms => [.. PlatformNames];

    private static IEnumerable<string> PlatformNames =>
        Directory.GetDirectories(Package).Select(folder => Path.GetFileName(folder));

    [Fact]
    public void Platforms_All_AreThere() =>
        Assert.Superset(
            new HashSet<string>
            {
                "linux-x64",
                "linux-arm64",
                "linux-musl-x64",
                "win-x64",
                "win-arm64",
                "osx-arm64",
                "osx-x64",
            },
            PlatformNames.ToHashSet()
        );

    /// <summary>
    /// A library names what it exports (and, for itself, nothing else of these) in tables of names that end in zero.
    /// </summary>
    [Theory]
    [MemberData(nameof(Platforms))]
    public void Imports_All_AreExportedOnThePlatform(string platform)
    {
        var missing = new List<string>();
        foreach (var (library, names) in Imports())
        {
            var files = Directory
                .GetFiles(Path.Combine(Package, platform), "*", SearchOption.AllDirectories)
                .Where(file =>
                    Path.GetFileNameWithoutExtension(file) == library
                    || Path.GetFileNameWithoutExtension(file) == $"lib{library}"
                )
                .ToArray();
            Assert.NotEmpty(files);
            foreach (var file in files)
            {
                var bytes = File.ReadAllBytes(file);
                missing.AddRange(
                    names
                        .Where(name => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"{name}\0")) < 0)
                        .Select(name => $"{name} in {file}")
                );
            }
        }

        Assert.Empty(missing);
    }

    /// <summary>native/Tamx.Llama.targets copies these once, from one of the variants.</summary>
    [Theory]
    [InlineData("libggml-base.so")]
    [InlineData("libggml.so")]
    [InlineData("libllama.so")]
    [InlineData("libmtmd.so")]
    public void LinuxVariants_AllButTheProcessorsLibrary_AreEqual(string name)
    {
        foreach (var platform in (string[])["linux-x64", "linux-musl-x64"])
        {
            var files = Directory.GetFiles(Path.Combine(Package, platform), name, SearchOption.AllDirectories);
            Assert.Equal(4, files.Length);
            Assert.Single(
                files.Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))).Distinct()
            );
        }
    }

    internal static Dictionary<string, string[]> Imports() =>
        typeof(LlamaLibraries)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method =>
                (
                    Library: method.GetCustomAttribute<LibraryImportAttribute>()?.LibraryName
                        ?? method.GetCustomAttribute<DllImportAttribute>()?.Value,
                    Name: method.GetCustomAttribute<LibraryImportAttribute>()?.EntryPoint
                        ?? method.GetCustomAttribute<DllImportAttribute>()?.EntryPoint
                )
            )
            .Where(import => import.Library is "ggml" or "ggml-base" or "llama" or "mtmd")
            .GroupBy(import => import.Library!, import => import.Name!)
            .ToDictionary(group => group.Key, group => group.Distinct().ToArray());
}
