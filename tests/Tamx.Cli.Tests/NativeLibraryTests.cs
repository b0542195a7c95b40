using System.Text;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>Which native libraries a program loads, and what it says where it cannot.</summary>
public sealed class NativeLibraryTests : IDisposable
{
    private static readonly string[] Names = ["libggml-base.so", "libggml.so", "libllama.so", "libmtmd.so"];

    private readonly TemporaryFolder _folder = new();

    public NativeLibraryTests() =>
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux: it looks at what the system's loader opens.");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("explain")]
    [InlineData("info")]
    public async Task Rpc_LibrariesWithoutThatBackEnd_IsOneLine(string command)
    {
        var run = await CommandRun.Of([command, "--rpc", "127.0.0.1:50052,localhost:50053"]);
        run.AssertFails(4, "has no RPC back end, which --rpc needs; build b10221 with GGML_RPC=ON");
    }

    [Theory]
    [InlineData("")]
    [InlineData("here")]
    [InlineData(":50052")]
    [InlineData("here:")]
    [InlineData("here:0")]
    [InlineData("here:65536")]
    [InlineData("here:+7")]
    [InlineData("two words:7")]
    [InlineData("http://here:7")]
    [InlineData("here:7,,there:7")]
    [InlineData("[::1]:7")]
    public async Task Rpc_WhatIsNoAddress_IsOneLine(string servers)
    {
        var run = await CommandRun.Of(["info", "--rpc", servers]);
        run.AssertFails(3, "--rpc '");
    }

    /// <summary>
    /// LLamaSharp by itself looks for libraries in the current directory first, and starts vulkaninfo from there.
    /// </summary>
    [Fact]
    public async Task Info_LibrariesAndProgramsInTheCurrentDirectory_AreNeitherLoadedNorStarted()
    {
        var planted = System.IO.Path.Combine("runtimes", "linux-x64", "native");
        foreach (
            var place in (string[])
                [".", planted, System.IO.Path.Combine(planted, "avx2"), System.IO.Path.Combine(planted, "noavx")]
        )
        {
            Directory.CreateDirectory(_folder.File(place));
            foreach (var name in (string[])[.. Names, "libggml-cpu.so"])
            {
                System.IO.File.WriteAllText(_folder.File(System.IO.Path.Combine(place, name)), "planted");
            }
        }

        var program = _folder.File("vulkaninfo");
        System.IO.File.WriteAllText(program, $"#!/bin/sh\ntouch '{_folder.File("started")}'\n");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        // A Vulkan loader that cannot be loaded is none: only then does LLamaSharp look for vulkaninfo.
        using var noVulkan = new TemporaryFolder();
        System.IO.File.WriteAllText(noVulkan.File("libvulkan.so.1"), "none");
        var run = await CommandRun.OfProcess(
            ["info"],
            _folder.Path,
            ("LD_LIBRARY_PATH", noVulkan.Path),
            ("LD_DEBUG", "files"),
            ("LD_DEBUG_OUTPUT", _folder.File("loader"))
        );

        Assert.Equal((ExitCode.Ok, string.Empty), (run.ExitCode, run.Error));
        Assert.False(System.IO.File.Exists(_folder.File("started")), "vulkaninfo was started");
        string[] opened =
        [
            .. Directory
                .EnumerateFiles(_folder.Path, "loader.*")
                .SelectMany(System.IO.File.ReadLines)
                .Where(line => line.Contains("file=", StringComparison.Ordinal)),
        ];
        Assert.Contains(opened, line => line.Contains(LlamaRuntime.Directory, StringComparison.Ordinal));
        Assert.DoesNotContain(opened, line => line.Contains(_folder.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Info_FolderOfOwn_IsTaken()
    {
        CopyLibraries();
        var run = await Run();

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains($"({_folder.Path})", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_OtherBuild_IsRefused()
    {
        CopyLibraries();
        Patch("libggml-base.so", "815a2a591", "815a2a590");
        (await Run()).AssertFails(
            ExitCode.MissingPart,
            $"llama.cpp in {_folder.Path} is build 815a2a590; this Tamx needs 815a2a591 (b10221)"
        );
    }

    [Fact]
    public async Task Info_MissingSystemLibrary_NamesItAndItsPackage()
    {
        CopyLibraries();
        Patch("libggml-cpu.so", "libgomp.so.1\0", "libgomp.so.7\0");
        (await Run()).AssertFails(
            ExitCode.MissingPart,
            "llama.cpp needs libgomp.so.7, which this machine does not have"
        );
    }

    [Fact]
    public async Task Info_LibraryForAnotherProcessor_SaysSo()
    {
        CopyLibraries();
        var path = _folder.File("libggml-base.so");
        var bytes = System.IO.File.ReadAllBytes(path);
        const int MachineOffset = 18;
        const byte Other = 0x2B; // SPARC
        bytes[MachineOffset] = Other;
        System.IO.File.WriteAllBytes(path, bytes);
        (await Run()).AssertFails(
            ExitCode.MissingPart,
            $"{path} cannot be loaded (is it for another system or processor, or damaged?)"
        );
    }

    [Fact]
    public async Task Info_LibraryMissingInTheFolder_NamesIt()
    {
        CopyLibraries();
        System.IO.File.Delete(_folder.File("libmtmd.so"));
        (await Run()).AssertFails(ExitCode.MissingPart, $"libmtmd.so is missing in {_folder.Path}");
    }

    [Fact]
    public async Task Info_NoSuchFolder_SaysSo()
    {
        var missing = _folder.File("nowhere");
        (await CommandRun.OfProcess(["info"], _folder.Path, (LlamaRuntime.DirectoryVariable, missing))).AssertFails(
            ExitCode.MissingPart,
            $"there is no folder {missing}, which TAMX_NATIVE_DIR names"
        );
    }

    [Fact]
    public async Task Info_ProgramWithoutRuntimesFolder_SaysWhatBringsIt()
    {
        foreach (
            var file in Directory
                .EnumerateFiles(AppContext.BaseDirectory)
                .Where(file => System.IO.Path.GetExtension(file) is ".dll" or ".json")
        )
        {
            System.IO.File.Copy(file, _folder.File(System.IO.Path.GetFileName(file)));
        }

        (await CommandRun.OfProcess(_folder.File("Tamx.Cli.dll"), ["info", "-m", DemoModel], _folder.Path)).AssertFails(
            ExitCode.MissingPart,
            "the package LLamaSharp.Backend.Cpu brings them"
        );
    }

    /// <summary>
    /// A GPU's package puts its folder beside the processor's libraries, whether there is such a GPU or not.
    /// </summary>
    [Fact]
    public async Task Info_LibrariesForAGpuThatDoNotLoad_ProcessorsAreTakenAndTheReasonIsTold()
    {
        foreach (
            var file in Directory
                .EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories)
                .Where(file =>
                    System.IO.Path.GetExtension(file) is ".dll" or ".json"
                    || file.StartsWith(LlamaRuntime.Directory, StringComparison.Ordinal)
                )
        )
        {
            var copy = _folder.File(System.IO.Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            System.IO.File.Copy(file, copy);
        }

        var native = _folder.File(System.IO.Path.GetRelativePath(AppContext.BaseDirectory, LlamaRuntime.Directory));
        Directory.CreateDirectory(System.IO.Path.Combine(native, "vulkan"));
        foreach (var name in Names)
        {
            System.IO.File.Copy(System.IO.Path.Combine(native, name), System.IO.Path.Combine(native, "vulkan", name));
        }

        System.IO.File.WriteAllText(System.IO.Path.Combine(native, "vulkan", "libggml-vulkan.so"), "none");
        var run = await CommandRun.OfProcess(
            _folder.File("Tamx.Cli.dll"),
            ["info", "-v", "-m", DemoModel],
            _folder.Path
        );

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("the libraries for vulkan are passed over: ", run.Error, StringComparison.Ordinal);
        Assert.Contains($"libraries loaded from {native}", run.Error, StringComparison.Ordinal);
        Assert.Contains($"({native})", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_BackendThatIsNone_IsRefused()
    {
        var path = _folder.File("libggml-none.so");
        System.IO.File.WriteAllText(path, "none");
        (await CommandRun.OfProcess(["info"], _folder.Path, ("TAMX_LLAMA_BACKENDS", path))).AssertFails(
            ExitCode.MissingPart,
            $"{path} is no back end for this ggml"
        );
        (await CommandRun.OfProcess(["info"], _folder.Path, ("TAMX_LLAMA_BACKENDS", "nowhere.so"))).AssertFails(
            ExitCode.MissingPart,
            $"there is no file {_folder.File("nowhere.so")}, which TAMX_LLAMA_BACKENDS names"
        );
    }

    private static string DemoModel =>
        System.IO.Path.Combine(AppContext.BaseDirectory, "demo", "tamx-demo-grounded-f16.gguf");

    private Task<CommandRun> Run() =>
        CommandRun.OfProcess(["info"], _folder.Path, (LlamaRuntime.DirectoryVariable, _folder.Path));

    /// <summary>The libraries of this platform, with the variant that every processor has.</summary>
    private void CopyLibraries()
    {
        foreach (var name in Names)
        {
            System.IO.File.Copy(System.IO.Path.Combine(LlamaRuntime.Directory, name), _folder.File(name));
        }

        string[] variants = [System.IO.Path.Combine(LlamaRuntime.Directory, "noavx"), LlamaRuntime.Directory];
        System.IO.File.Copy(
            variants.Select(folder => System.IO.Path.Combine(folder, "libggml-cpu.so")).First(System.IO.File.Exists),
            _folder.File("libggml-cpu.so")
        );
    }

    private void Patch(string name, string text, string other)
    {
        var path = _folder.File(name);
        var bytes = System.IO.File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text));
        Assert.True(at > 0, $"{text} is not in {name}");
        Encoding.ASCII.GetBytes(other).CopyTo(bytes, at);
        System.IO.File.WriteAllBytes(path, bytes);
    }
}
