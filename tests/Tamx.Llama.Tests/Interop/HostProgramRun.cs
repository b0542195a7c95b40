using LLama.Native;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Interop;

/// <summary>A program that uses LLamaSharp before it uses Tamx: the part of a child process.</summary>
internal static class HostProgramRun
{
    /// <param name="arguments">The folder of llama.cpp's libraries, and a model with its projector.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (folder, modelPath, projectorPath) = (arguments[0], arguments[1], arguments[2]);
        var lineCount = 0;
        NativeLibraryConfig.All.WithLibrary(Path.Combine(folder, "libllama.so"), Path.Combine(folder, "libmtmd.so"));
        NativeLibraryConfig.LLama.WithLogCallback((_, _) => Interlocked.Increment(ref lineCount));
        NativeApi.llama_empty_call();
        try
        {
            var before = lineCount;
            using var model = await VisionLanguageModel.LoadAsync(
                new ModelOptions
                {
                    ModelPath = modelPath,
                    ProjectorPath = projectorPath,
                    ThreadCount = 1,
                }
            );
            using var completion = model.CreateCompletion(
                [new(TurnRole.User, [TestPictures.Gradient(160, 128), new TextPart("Describe this image.")])],
                new() { MaxNewTokens = 2 }
            );
            var tokenCount = 0;
            await foreach (var token in completion.GenerateAsync())
            {
                tokenCount++;
            }

            Console.WriteLine(
                $"{tokenCount} tokens, {completion.HiddenRowCount == completion.TokenCount - 1}, "
                    + $"{LlamaRuntime.Directory}"
            );
            Console.WriteLine(lineCount > before ? "the host's log goes on" : "the host's log is silent");
            return 0;
        }
        catch (NativeLibraryException e)
        {
            Console.WriteLine(e.Message);
            return 4;
        }
    }
}
