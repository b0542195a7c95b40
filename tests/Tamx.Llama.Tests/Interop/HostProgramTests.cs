using System.Diagnostics;
using System.Text;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Interop;

public sealed class HostProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public HostProgramTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux: it copies the libraries by their names there.");
        LlamaLibraries.EnsureLoaded();
        foreach (var name in (string[])["libggml-base.so", "libggml.so", "libllama.so", "libmtmd.so"])
        {
            File.Copy(Path.Combine(LlamaRuntime.Directory, name), _folder.File(name));
        }

        // The variant that every processor has.
        File.Copy(Path.Combine(LlamaRuntime.Directory, "noavx", "libggml-cpu.so"), _folder.File("libggml-cpu.so"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task LoadAsync_HostHasTheSameBuild_SharesItsLibrariesAndItsLog()
    {
        var (exitCode, output) = await RunAsync();

        Assert.Equal((0, $"2 tokens, True, {_folder.Path}\nthe host's log goes on\n"), (exitCode, output));
    }

    [Fact]
    public async Task LoadAsync_HostHasAnotherBuild_SaysSo()
    {
        var path = _folder.File("libggml-base.so");
        var bytes = File.ReadAllBytes(path);
        Encoding.ASCII.GetBytes("815a2a590").CopyTo(bytes, bytes.AsSpan().IndexOf("815a2a591"u8));
        File.WriteAllBytes(path, bytes);
        var (exitCode, output) = await RunAsync();

        Assert.Equal(
            (4, $"llama.cpp in {_folder.Path} is build 815a2a590; this Tamx needs 815a2a591 (b10221)\n"),
            (exitCode, output)
        );
    }

    private async Task<(int ExitCode, string Output)> RunAsync()
    {
        var files = TestModels.Qwen3Vl;
        using var process = Process.Start(
            ChildProgram.Start("host-program", _folder.Path, files.ModelPath, files.ProjectorPath)
        )!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(string.Empty, await error);
        return (process.ExitCode, output);
    }
}
