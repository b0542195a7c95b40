using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

/// <summary>
/// The child's side: a model of a kind, with each of its keys and tensors left out once. What passes pre-flight all the
/// same is loaded and decoded, since native code may end the process.
/// </summary>
internal static class LeftOutRun
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        var options = TinyModels.Of(arguments[0]) with { IsTied = true };
        using var folder = new TemporaryFolder();
        foreach (var isProjector in (bool[])[false, true])
        {
            GgufWriter Build() => isProjector ? RandomModel.BuildProjector(options) : RandomModel.BuildModel(options);
            foreach (var key in Build().Keys.Append(null))
            {
                await Try($"key {key}", writer => writer.Remove(key ?? ""));
            }

            foreach (var tensor in Build().TensorNames)
            {
                await Try($"tensor {tensor}", writer => writer.RemoveTensor(tensor));
            }

            async Task Try(string name, Action<GgufWriter> remove)
            {
                Console.WriteLine($"starts {name}");
                var writer = Build();
                remove(writer);
                var files = new ModelFiles(folder.File("model.gguf"), folder.File("mmproj.gguf"));
                (isProjector ? RandomModel.BuildModel(options) : writer).Save(files.ModelPath);
                (isProjector ? writer : RandomModel.BuildProjector(options)).Save(files.ProjectorPath);
                Console.WriteLine($"{name}: {await Decode(files)}");
            }
        }

        return 0;
    }

    private static async Task<string> Decode(ModelFiles files)
    {
        try
        {
            using var model = await VisionLanguageModel.LoadAsync(LoadedModels.Options(files));
            using var completion = model.CreateCompletion(
                [new ChatTurn(TurnRole.User, [TestPictures.Gradient(32, 24), new TextPart("What?")])],
                new() { MaxNewTokens = 2, ContextSize = 256 }
            );
            return $"decoded {(await CaptureTests.Collect(completion)).Count}";
        }
        catch (ModelFormatException e)
        {
            return $"refused {e.Message}";
        }
    }
}
