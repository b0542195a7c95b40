using System.Runtime.CompilerServices;
using Tamx.Llama;

namespace Tamx.Tests;

internal static class LoadedFirst
{
    /// <summary>
    /// Loading llama.cpp sets environment variables. glibc allows that only while no other thread reads them, and
    /// OpenCL's drivers do. So it is loaded before the tests run side by side.
    /// </summary>
    [ModuleInitializer]
    internal static void Load() => _ = LlamaRuntime.Version;
}
