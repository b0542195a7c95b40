using System.Runtime.InteropServices;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Tests.Interop;

/// <summary>The child's side: ggml gives up while a model is at work.</summary>
internal static unsafe class AbortRun
{
    /// <param name="arguments">The model.</param>
    public static int Run(string[] arguments)
    {
        var options = new ModelOptions() { ModelPath = arguments[0], ThreadCount = 1 };
        using var model = VisionLanguageModel.LoadAsync(options).GetAwaiter().GetResult();
        var library = NativeLibrary.Load(Path.Combine(LlamaLibraries.Directory, LlamaLibraries.FileName("ggml-base")));

        // What GGML_ASSERT calls. It takes a format's arguments too, of which there are none.
        var abort = (delegate* unmanaged[Cdecl]<byte*, int, byte*, void>)NativeLibrary.GetExport(library, "ggml_abort");
        fixed (byte* file = "/build/ggml.c\0"u8)
        fixed (byte* message = "GGML_ASSERT(test) failed\0"u8)
        {
            abort(file, 12, message);
        }

        return 0;
    }
}
